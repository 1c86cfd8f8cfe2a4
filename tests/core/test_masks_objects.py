"""The parts of a mask and the borders around them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.masks.borders import with_border, without_border
from manyshot.core.masks.components import components
from manyshot.core.masks.geometry import (
    affine,
)
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.objects import bounding_box, find_objects

from ..support.mask_strategies import CLASSES, masks


@settings(max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14))), st.booleans())
def test_components_are_those_of_scipy(mask: np.ndarray, diagonal: bool) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    wanted, many = ndimage.label(mask, np.ones((3, 3)) if diagonal else None)
    found, count = components(mask, diagonal)
    assert count == many
    assert len(set(zip(found.ravel().tolist(), wanted.ravel().tolist(), strict=True))) == (
        count + (not mask.all())
    )


def test_parts_are_objects_of_their_own() -> None:
    labels = np.array([[1, 0, 2], [1, 0, 0], [0, 0, 2]], np.uint8)
    found = find_objects(LabelMask(labels, CLASSES), parts=True)
    assert [(one.class_name, one.box, one.area) for one in found] == [
        ("cat", (0, 0, 1, 2), 2),
        ("dog", (2, 0, 3, 1), 1),
        ("dog", (2, 2, 3, 3), 1),
    ]
    assert len(find_objects(LabelMask(labels, CLASSES), parts=True, least=2)) == 1
    assert find_objects(LabelMask(labels * 0, CLASSES)) == ()


@settings(max_examples=60, deadline=None)
@given(masks(), st.integers(1, 3))
def test_a_border_is_as_wide_as_asked(mask: LabelMask, width: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    labels = np.where(mask.labels == IGNORE, 0, mask.labels)
    found = with_border(labels, width, IGNORE)
    around = {"size": 2 * width + 1, "mode": "nearest"}
    edge = ndimage.maximum_filter(labels, **around) != ndimage.minimum_filter(labels, **around)
    assert np.array_equal(found == IGNORE, edge)
    assert np.array_equal(found[~edge], labels[~edge])


def test_borders_are_taken_away_and_drawn_anew_after_scaling() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 10:30] = 1
    thin = with_border(labels, 1, IGNORE)
    assert np.array_equal(without_border(thin, IGNORE), labels)
    large = affine((40, 40), scale=1.5).labels(thin, 0)
    assert (large[20] == IGNORE).sum() == 6  # the border grew with the object
    again = with_border(without_border(large, IGNORE), 1, IGNORE)
    assert (again[20] == IGNORE).sum() == 4
    assert bounding_box(without_border(again, IGNORE) == 1) == (5, 5, 35, 35)
    deep = np.full((20, 20), IGNORE, np.uint8)
    deep[:, :3] = 1
    assert (without_border(deep, IGNORE, 4) == 1).sum() == 20 * 7
    assert (without_border(deep, IGNORE) == 1).all()
    nothing = np.full((3, 3), IGNORE, np.uint8)
    assert (without_border(nothing, IGNORE) == IGNORE).all()
