"""How like pictures of a subject are to held-out photos of it, between two bounds.

Ruiz et al. 2023, "DreamBooth", section 4.2: the mean pairwise cosine between features of generated
pictures and of real photos; with DINO's features it is their DINO score. Rows here are features of
unit length, and all figures are cosines from -1 to 1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

RESAMPLES, AT_ONCE = 999, 50
APART = 0.01  # what bounds differ by at least


@dataclass(frozen=True)
class Interval:
    """A figure, and between what it lies in 95 % of resamples."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Bounds:
    """What similarities are held against; None where photos are missing.

    `ceiling`: other real photos of the subject. `nearest` and `mean`: photos of the most similar
    other class, which `nearest_class` names, and of all other classes.
    """

    ceiling: float | None
    nearest: float | None
    mean: float | None
    nearest_class: str | None

    def reached(self, value: float) -> float | None:
        """Where a similarity lies between other classes' mean (0) and other real photos (1).

        Below 0 and above 1 if it is beyond them; None where they are not apart. Against the mean,
        since the nearest of many classes is as near as chance had it, and hardly below 1.
        """
        if self.ceiling is None or self.mean is None or self.ceiling - self.mean < APART:
            return None
        return (value - self.mean) / (self.ceiling - self.mean)


def similarity(pictures: np.ndarray, held_out: np.ndarray, seed: int = 0) -> Interval:
    """Of pictures (n, d) to held-out photos (m, d), with both resampled for the interval."""
    return _resampled([pictures], held_out, lambda first: first, seed)


def difference(
    pictures: np.ndarray, others: np.ndarray, held_out: np.ndarray, seed: int = 0
) -> Interval:
    """How much more similar pictures (n, d) are than others (k, d), to the same photos (m, d)."""
    return _resampled([pictures, others], held_out, lambda a, b: a - b, seed)


def _resampled(
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
    found = bootstrap(
        places,
        statistic,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=AT_ONCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(statistic(*places)), float(found.low), float(found.high))


def _twice(rows: np.ndarray) -> np.ndarray:
    """A single row as two equal ones, which changes no mean: scipy resamples two at least."""
    return np.repeat(rows, 2, axis=0) if len(rows) == 1 else rows


def pairwise(first: np.ndarray, second: np.ndarray) -> float:
    """The mean cosine of all pairs of rows (n, d) and (m, d): the product of their means."""
    return float(first.mean(axis=0) @ second.mean(axis=0))


def ceiling(photos: np.ndarray, held_out: np.ndarray) -> float | None:
    """The mean cosine of all real photos of the subject to the held-out ones among them, (m, d).

    `photos` (k + m, d): the held-out ones are the last, maybe seen in another way, such as through
    an autoencoder. Pairs of a photo and itself do not count; None without any other.
    """
    pairs = len(held_out) * (len(photos) - 1)
    if not pairs:
        return None
    itself = (photos[-len(held_out) :] * held_out).sum()
    return float(((photos @ held_out.T).sum() - itself) / pairs)


def bounds(photos: np.ndarray, held_out: np.ndarray, others: Mapping[str, np.ndarray]) -> Bounds:
    """The bounds of similarities to held-out photos (m, d).

    `photos` as `ceiling` has them; `others`: photos of other classes, features (k, d) by class.
    """
    top = ceiling(photos, held_out)
    found = {name: pairwise(rows, held_out) for name, rows in others.items()}
    if not found:
        return Bounds(top, None, None, None)
    nearest = max(found, key=lambda name: found[name])
    return Bounds(top, found[nearest], float(np.mean(list(found.values()))), nearest)
