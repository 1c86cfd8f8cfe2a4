"""Regions of label masks, and masks made wider and narrower."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from manyshot.core.errors import InputError
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.regions import Border, Region, grow_region, select_region
from scipy.ndimage import binary_dilation

MASK = LabelMask(
    np.array([[0, 255, 1, 1], [0, 255, 255, 2]], np.uint8), ("background", "cat", "dog")
)
masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@pytest.mark.parametrize(
    ("region", "names", "border", "wanted"),
    [
        ("objects", (), "out", "0011 0001"),
        ("objects", (), "in", "0111 0111"),
        ("background", (), "out", "1000 1000"),
        ("background", (), "in", "1100 1110"),
        ("classes", ("dog",), "out", "0000 0001"),
        ("classes", ("dog", "background"), "in", "1100 1111"),
    ],
)
def test_regions(region: Region, names: tuple[str, ...], border: Border, wanted: str) -> None:
    found = select_region(MASK, region, names, border)
    assert " ".join("".join(str(int(here)) for here in row) for row in found) == wanted


@pytest.mark.parametrize(
    ("mask", "region", "names", "sentence"),
    [
        (MASK, "classes", (), "needs the names"),
        (MASK, "classes", ("dogs",), "The mask has no class named 'dogs'. Did you mean 'dog'"),
        (LabelMask(MASK.labels, ("sky", "cat", "dog")), "background", (), "are sky, cat, dog"),
    ],
)
def test_regions_that_a_mask_lacks(
    mask: LabelMask, region: Region, names: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        select_region(mask, region, names)


@given(masks, st.integers(0, 14))
def test_wider_as_scipy_makes_it(mask: np.ndarray, pixels: int) -> None:
    square = np.ones((2 * pixels + 1, 2 * pixels + 1), bool)
    assert np.array_equal(grow_region(mask, pixels), binary_dilation(mask, square))


@given(masks, st.integers(0, 14))
def test_narrower_is_wider_around_it(mask: np.ndarray, pixels: int) -> None:
    narrow = grow_region(mask, -pixels)
    assert not (narrow & ~mask).any()
    assert np.array_equal(~narrow, grow_region(~mask, pixels))
