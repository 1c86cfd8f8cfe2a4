"""The palette of the segmentation ControlNet: there, back, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.errors import InputError
from manyshot.core.palettes import COLOURS, Species, control_to_trimap, trimap_to_control

TRIMAPS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements={"min_value": 1, "max_value": 3},
)


@given(TRIMAPS, st.sampled_from(["cat", "dog"]))
def test_there_and_back(trimap: np.ndarray, species: Species) -> None:
    control = trimap_to_control(trimap, species)
    assert control.dtype == np.uint8
    assert control.shape == (*trimap.shape, 3)
    back, found = control_to_trimap(control)
    assert np.array_equal(back, trimap)
    assert found == (species if (trimap == 1).any() else None)


def test_the_documented_colours() -> None:
    control = trimap_to_control(np.array([[1, 2, 3]], np.uint8), "cat")
    assert control.tolist() == [[[255, 96, 0], [0, 0, 0], [128, 128, 128]]]
    assert trimap_to_control(np.array([[1]]), "dog").tolist() == [[[0, 96, 255]]]
    assert len(set(COLOURS.values())) == 4


def both() -> np.ndarray:
    return np.array([[COLOURS["cat"], COLOURS["dog"]]], np.uint8)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (np.array([[[0, 0, 0], [255, 97, 0]]], np.uint8), r"row 0, column 1 is #ff6100, .*#ff6000"),
        (np.full((2, 2, 3), 255, np.uint8), "row 0, column 0 is #ffffff"),
        (both(), "both colours"),
        (np.zeros((4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 3), float), "uint8"),
    ],
)
def test_what_is_no_control_image(control: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        control_to_trimap(control)


@pytest.mark.parametrize(
    ("trimap", "species", "said"),
    [
        (np.array([[0, 1]]), "cat", "this one has 0"),
        (np.array([[255, 1]]), "dog", "this one has 255"),
        (np.array([[1]]), "bird", "'bird'"),
        (np.ones((2, 2, 3), np.uint8), "cat", "two dimensions"),
    ],
)
def test_what_is_no_trimap(trimap: np.ndarray, species: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        trimap_to_control(trimap, species)  # type: ignore[arg-type]
