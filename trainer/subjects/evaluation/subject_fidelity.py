"""Subject fidelity: how similar pictures are to held-out photos of the subject, and how diverse.

Ruiz et al. 2023, "DreamBooth", section 4.2: the mean pairwise cosine between features of generated
pictures and of real photos; with DINO's features it is their DINO score. Rows here are features of
unit length, and all figures are cosines from -1 to 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

RESAMPLES, AT_ONCE = 999, 50
APART = 0.01  # the least distance of two bounds


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bounds:
    """Reference similarities; None where photos are missing.

    `ceiling`: of other real photos of the subject. `nearest` and `mean`: of photos of the most
    similar other class, which `nearest_class` names, and of all other classes.
    """

    ceiling: float | None
    nearest: float | None
    mean: float | None
    nearest_class: str | None

    def normalise(self, value: float) -> float | None:
        """A similarity rescaled so that other classes' mean is 0 and other real photos are 1.

        Values beyond the bounds are not clipped; None where the bounds coincide. The lower bound is
        the mean because the nearest of many classes is close to 1 by chance.
        """
        if self.ceiling is None or self.mean is None or self.ceiling - self.mean < APART:
            return None
        return (value - self.mean) / (self.ceiling - self.mean)


def similarity(pictures: np.ndarray, held_out: np.ndarray, seed: int = 0) -> Interval:
    """Similarity of pictures (n, d) to held-out photos (m, d); the bootstrap resamples both."""
    return _bootstrap([pictures], held_out, lambda first: first, seed)


def difference(
    pictures: np.ndarray, baseline: np.ndarray, held_out: np.ndarray, seed: int = 0
) -> Interval:
    """How much more similar pictures (n, d) are to photos (m, d) than a baseline (k, d) is."""
    return _bootstrap([pictures, baseline], held_out, lambda a, b: a - b, seed)


def _bootstrap(
    groups: Sequence[np.ndarray],
    held_out: np.ndarray,
    figure: Callable[..., np.ndarray],
    seed: int,
) -> Interval:
    """Percentile bootstrap (Efron 1979) of a figure of several groups' mean pairwise cosines."""
    tables = [_twice(_twice(rows @ held_out.T).T).T for rows in groups]

    def statistic(*places: np.ndarray, axis: int = -1) -> np.ndarray:
        *rows, columns = places
        pairs = zip(tables, rows, strict=True)
        cosines = [t[r[..., :, None], columns[..., None, :]].mean((-2, -1)) for t, r in pairs]
        return figure(*cosines)

    places = [np.arange(len(table)) for table in tables] + [np.arange(tables[0].shape[1])]
    interval = bootstrap(
        places,
        statistic,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=AT_ONCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(statistic(*places)), float(interval.low), float(interval.high))


def _twice(rows: np.ndarray) -> np.ndarray:
    """Duplicate a single row, which changes no mean: scipy needs at least two to resample."""
    return np.repeat(rows, 2, axis=0) if len(rows) == 1 else rows


def pairwise(first: np.ndarray, second: np.ndarray) -> float:
    """The mean cosine of all pairs of rows (n, d) and (m, d): the product of their means."""
    return float(first.mean(axis=0) @ second.mean(axis=0))


def ceiling(photos: np.ndarray, held_out: np.ndarray) -> float | None:
    """The mean cosine of all real photos of the subject to the held-out ones among them, (m, d).

    `photos` (k + m, d): the held-out ones come last, possibly transformed, for example by an
    autoencoder. Pairs of a photo with itself do not count; None without any other.
    """
    pairs = len(held_out) * (len(photos) - 1)
    if not pairs:
        return None
    itself = (photos[-len(held_out) :] * held_out).sum()
    return float(((photos @ held_out.T).sum() - itself) / pairs)


def bounds(
    photos: np.ndarray, held_out: np.ndarray, other_classes: Mapping[str, np.ndarray]
) -> Bounds:
    """The bounds of similarities to held-out photos (m, d).

    `photos`: as for `ceiling`; `other_classes`: features (k, d) of their photos, by class.
    """
    top = ceiling(photos, held_out)
    similarities = {name: pairwise(rows, held_out) for name, rows in other_classes.items()}
    if not similarities:
        return Bounds(top, None, None, None)
    nearest = max(similarities, key=lambda name: similarities[name])
    return Bounds(top, similarities[nearest], float(np.mean(list(similarities.values()))), nearest)


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
