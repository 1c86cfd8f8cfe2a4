"""How different the pictures of a subject are from one another."""

import numpy as np


def diversity(rows: np.ndarray) -> float | None:
    """The mean distance, 1 - cosine (0 to 2), of all pairs of features (n, d) of unit length.

    The form of "DIV" in Ruiz et al. 2023, "DreamBooth", section 4.3, which has LPIPS for distance.
    None for fewer than two.
    """
    count = len(rows)
    if count < 2:
        return None
    whole = rows.sum(axis=0)
    return float(1 - (whole @ whole - (rows * rows).sum()) / (count * (count - 1)))


def relative_diversity(pictures: np.ndarray, photos: np.ndarray) -> float | None:
    """The diversity of pictures (n, d) over that of real photos (m, d): 1 is as varied as these.

    None where either is less than two, or photos are all the same.
    """
    own, real = diversity(pictures), diversity(photos)
    return own / real if own is not None and real else None
