"""Masks as boxes and outlines, which are exact."""

import numpy as np
import shapely
from hypothesis import example, given
from manyshot.driver.export.outline import box, one_ring, polygons, rings

from ..support.export_folders import CORNERS, HOLE_AT_CORNER, QUICK, RING, drawn, even_odd, masks


@QUICK
@given(masks)
@example(RING)
@example(CORNERS)
@example(HOLE_AT_CORNER)
def test_polygons_are_exact_and_one_ring_of_them_too(object_):
    parts = polygons(object_, 0)
    assert all(part.is_valid for part in parts)
    assert sum(part.area for part in parts) == object_.sum()
    assert (drawn(shapely.union_all(parts), object_.shape) == object_).all()
    if parts:
        ring = one_ring([ring for part in parts for ring in rings(part)])
        assert (even_odd(ring, object_.shape) == object_).all()


@QUICK
@given(masks)
def test_a_box_is_the_smallest_that_holds_the_object(object_):
    found = box(object_)
    assert (found is None) == (not object_.any())
    if found:
        left, top, width, height = found
        inner = object_[top : top + height, left : left + width]
        assert inner.sum() == object_.sum()
        assert all(edge.any() for edge in (inner[0], inner[-1], inner[:, 0], inner[:, -1]))


def test_a_tolerance_leaves_points_out_and_moves_the_outline_little():
    rows, columns = np.mgrid[:90, :90]
    disc = (rows - 45) ** 2 + (columns - 40) ** 2 < 35**2
    (exact,), (rough,) = polygons(disc, 0), polygons(disc, 1.0)
    assert shapely.get_num_coordinates(rough) < shapely.get_num_coordinates(exact) / 3
    assert exact.intersection(rough).area / exact.union(rough).area > 0.95
    assert shapely.hausdorff_distance(exact, rough) <= 1.0
