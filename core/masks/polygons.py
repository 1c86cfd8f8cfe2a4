"""Polygons on the pixel grid: pixel (row, column) covers the places column to column + 1.

A polygon is an array (n, 2) of x and y. A pixel belongs to it when its centre lies inside by the
even-odd rule; so polygons and masks that move together stay together.
"""

import numpy as np


def rasterised(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """A bool mask (height, width): the pixels whose centres lie inside."""
    crossings = np.zeros((height, width + 1), np.int64)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        low, high = sorted((y0, y1))
        rows = np.arange(max(0, np.ceil(low - 0.5)), min(height, np.ceil(high - 0.5)), dtype=int)
        x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        np.add.at(crossings, (rows, np.clip(np.ceil(x - 0.5), 0, width).astype(int)), 1)
    return np.cumsum(crossings, axis=1)[:, :width] % 2 == 1


def clipped(points: np.ndarray, height: int, width: int) -> np.ndarray:
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
    kept: list[np.ndarray] = []
    for start, end in zip(np.roll(points, 1, axis=0), points, strict=True):
        before, after = sign * (start[axis] - bound), sign * (end[axis] - bound)
        if before * after < 0:
            crossing = start + (end - start) * before / (before - after)
            crossing[axis] = bound
            kept.append(crossing)
        if after >= 0:
            kept.append(end)
    return np.array(kept, float).reshape(-1, 2)
