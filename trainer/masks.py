"""How well masks agree, and how well they would by chance."""

import numpy as np


def mask_iou(
    found: np.ndarray, wanted: np.ndarray, counted: np.ndarray | None = None
) -> np.ndarray:
    """Intersection over union (n) of bool masks (n, height, width); 1 where both are empty.

    Pixels outside `counted` (bool, n, height, width) are left out.
    """
    raise NotImplementedError


def mismatched(count: int, seed: int = 0) -> np.ndarray:
    """A permutation (count) that leaves nothing in its place: conditions of other images."""
    raise NotImplementedError
