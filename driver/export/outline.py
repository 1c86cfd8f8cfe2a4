"""A mask as box and polygons. Coordinates are those of pixel edges: (0, 0) is the outer corner of
the first pixel and (width, height) that of the last, so that an outline is exact."""

import numpy as np
import shapely

MOST_RUNS = 10_000  # of object pixels in a row: outlines of more take seconds and help nobody

Ring = np.ndarray
"""Points (n, 2), x and y, the first not repeated at the end."""


def box(object_: np.ndarray) -> tuple[int, int, int, int] | None:
    """Left, top, width and height in pixels of the object; None where there is none."""
    rows, columns = np.flatnonzero(object_.any(axis=1)), np.flatnonzero(object_.any(axis=0))
    if not rows.size:
        return None
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def is_noise(object_: np.ndarray) -> bool:
    """Whether the object is in too many pieces to have an outline that is of use."""
    return len(_runs(object_)[0]) > MOST_RUNS


def polygons(object_: np.ndarray, tolerance: float) -> list[shapely.Polygon]:
    """The object's parts, each an outline with holes; pixels that touch at corners are apart.

    Exact with a tolerance of 0; else points are left out as long as the outline moves by no more
    than `tolerance` pixels (Douglas-Peucker).
    """
    rows, left, right = _runs(object_)
    area = shapely.union_all(shapely.box(left, rows, right, rows + 1))
    parts = shapely.get_parts(shapely.orient_polygons(shapely.simplify(area, tolerance)))
    return [shape for shape in parts if isinstance(shape, shapely.Polygon) and not shape.is_empty]


def rings(polygon: shapely.Polygon) -> list[Ring]:
    """The outline, then the holes, which run the other way round."""
    return [np.asarray(ring.coords)[:-1] for ring in (polygon.exterior, *polygon.interiors)]


def one_ring(all_rings: list[Ring]) -> Ring:
    """Several rings as one, joined by bridges of no width between their nearest points."""
    joined, *rest = all_rings
    for ring in rest:
        distances = ((joined[:, None] - ring[None]) ** 2).sum(axis=2)
        here, there = np.unravel_index(distances.argmin(), distances.shape)
        round_trip = [ring[there:], ring[: there + 1]]
        joined = np.concatenate([joined[: here + 1], *round_trip, joined[here:]])
    return joined


def _runs(object_: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, left and right edge of every run of object pixels."""
    steps = np.diff(np.pad(object_.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, start = np.nonzero(steps == 1)
    return rows, start, np.nonzero(steps == -1)[1]
