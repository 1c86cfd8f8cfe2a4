"""Polygons on the pixel grid: pixel (row, column) covers the places column to column + 1.

A polygon is an array (n, 2) of x and y. A pixel belongs to it when its centre lies inside by the
even-odd rule; so polygons and masks that move together stay together.
"""

from collections.abc import Iterator

import numpy as np

CROSSINGS = 2**20  # in memory at once


def rasterise(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """A bool mask (height, width): the pixels whose centres lie inside."""
    mask = np.zeros((height, width), bool)
    fill(mask, points)
    return mask


Box = tuple[slice, slice]  # rows and columns


def fill(mask: np.ndarray, points: np.ndarray) -> Box | None:
    """Set the pixels of a bool mask (height, width) whose centres lie inside.

    Gives the box that they all lie in; None where there are none.
    """
    top, bottom, left, right = _box(points, *mask.shape)
    if left == right or top == bottom:
        return None
    odd = np.zeros((bottom - top, right - left + 1), np.uint8)  # odd or even: it may wrap
    for rows, x in _crossings(points, top, bottom):
        columns = np.clip(np.ceil(x - 0.5), left, right).astype(int)
        np.add.at(odd, (rows - top, columns - left), 1)
    inside = np.cumsum(odd, axis=1, dtype=np.uint8)[:, :-1] & 1
    mask[top:bottom, left:right] |= inside.view(bool)
    return slice(top, bottom), slice(left, right)


def box_size(points: np.ndarray, height: int, width: int) -> int:
    """How many pixels of a canvas the box around a polygon has."""
    top, bottom, left, right = _box(points, height, width)
    return (bottom - top) * (right - left)


def _box(points: np.ndarray, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, bottom, left, right."""
    if not len(points):
        return 0, 0, 0, 0
    return *_centres(points[:, 1], height), *_centres(points[:, 0], width)


def crossings(points: np.ndarray, height: int) -> float:
    """About how many times the outline crosses a row of a canvas: what drawing it costs."""
    steps = np.abs(np.diff(points[:, 1], append=points[0, 1]))
    return float(np.minimum(steps, height).sum())


def _centres(values: np.ndarray, most: int) -> tuple[int, int]:
    """The first pixel centre beyond the least of `values`, and that beyond the greatest."""
    low, high = np.clip(np.ceil([values.min() - 0.5, values.max() - 0.5]), 0, most)
    return int(low), int(high)


def _crossings(
    points: np.ndarray, top: int, bottom: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Where edges cross the centres of rows: rows and x, of some edges at a time."""
    ends = np.roll(points, -1, axis=0)
    low, high = np.sort([points[:, 1], ends[:, 1]], axis=0)
    first = np.clip(np.ceil(low - 0.5), top, bottom).astype(int)
    counts = np.clip(np.ceil(high - 0.5), top, bottom).astype(int) - first
    chunks = np.cumsum(counts) // CROSSINGS
    for chunk in np.unique(chunks[counts > 0]):
        edges = np.flatnonzero((chunks == chunk) & (counts > 0))
        edge = np.repeat(edges, counts[edges])
        begun = np.cumsum(counts[edges]) - counts[edges]
        rows = np.arange(len(edge)) - np.repeat(begun - first[edges], counts[edges])
        (x0, y0), (x1, y1) = points[edge].T, ends[edge].T
        yield rows, x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)


def clip(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """The part (m, 2) of a polygon that lies on the canvas; (0, 2) when none does.

    Sutherland and Hodgman 1974, "Reentrant polygon clipping": parts that fall apart stay joined
    along the canvas's edge.
    """
    for axis, bound, sign in (
        (0, 0.0, 1),
        (0, float(width), -1),
        (1, 0.0, 1),
        (1, float(height), -1),
    ):
        points = _cut(points, axis, bound, sign)
    return points


def _cut(points: np.ndarray, axis: int, bound: float, sign: int) -> np.ndarray:
    corners: list[np.ndarray] = []
    for start, end in zip(np.roll(points, 1, axis=0), points, strict=True):
        before, after = sign * (start[axis] - bound), sign * (end[axis] - bound)
        if before * after < 0:
            crossing = start + (end - start) * before / (before - after)
            crossing[axis] = bound
            corners.append(crossing)
        if after >= 0:
            corners.append(end)
    return np.array(corners, float).reshape(-1, 2)
