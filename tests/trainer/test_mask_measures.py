"""Agreement of masks and of edges, on arrays small enough to count."""

import numpy as np
import pytest

pytest.importorskip("kornia")
pytest.importorskip("scipy")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.trainer.control_agreement import canny_edges, edge_agreement, mask_iou, mismatched


def mask(text: str) -> np.ndarray:
    """One mask (1, height, width) of rows of 0 and 1."""
    return np.array([[[c == "1" for c in row] for row in text.split()]])


@pytest.mark.parametrize(
    ("found", "wanted", "iou"),
    [
        ("11 00", "11 00", 1),
        ("11 00", "00 11", 0),
        ("11 11", "10 00", 1 / 4),
        ("10 10", "11 00", 1 / 3),
        ("00 00", "00 00", 1),
        ("00 00", "01 00", 0),
    ],
)
def test_mask_iou(found: str, wanted: str, iou: float) -> None:
    assert mask_iou(mask(found), mask(wanted)) == pytest.approx([iou])


def test_mask_iou_counts_only_what_is_counted() -> None:
    found, wanted = mask("11 00"), mask("10 01")
    assert mask_iou(found, wanted, counted=mask("10 10")) == pytest.approx([1])
    assert mask_iou(found, wanted, counted=mask("01 10")) == pytest.approx([0])
    assert mask_iou(found, wanted, counted=mask("00 00")) == pytest.approx([1])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_mask_iou_is_of_each_image_and_symmetric(seed: int) -> None:
    first, second = np.random.default_rng(seed).random((2, 5, 4, 4)) < 0.5
    found = mask_iou(first, second)
    assert found == pytest.approx(mask_iou(second, first))
    assert found == pytest.approx(
        np.concatenate([mask_iou(first[[i]], second[[i]]) for i in range(5)])
    )
    assert ((found >= 0) & (found <= 1)).all()


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(0, 1000))
def test_mismatched_leaves_nothing_in_its_place(count: int, seed: int) -> None:
    found = mismatched(count, seed)
    assert sorted(found) == list(range(count))
    assert (found != np.arange(count)).all()
    assert (found == mismatched(count, seed)).all()


def test_one_image_cannot_be_mismatched() -> None:
    with pytest.raises(InputError, match="two images at least"):
        mismatched(1)


def lines(*columns: int, width: int = 12) -> np.ndarray:
    """An edge map (1, 4, width) with vertical lines at these columns."""
    found = np.zeros((1, 4, width), bool)
    found[:, :, list(columns)] = True
    return found


@pytest.mark.parametrize(
    ("found", "wanted", "tolerance", "precision", "recall"),
    [
        ([3], [3], 0, 1, 1),
        ([3], [4], 0, 0, 0),
        ([3], [4], 1, 1, 1),
        ([3], [5], 1, 0, 0),
        ([3], [5], 2, 1, 1),
        ([3, 9], [3], 1, 0.5, 1),
        ([3], [3, 9], 1, 1, 0.5),
        ([], [3], 1, 1, 0),
        ([3], [], 1, 0, 1),
        ([], [], 1, 1, 1),
    ],
)
def test_edge_agreement(
    found: list[int], wanted: list[int], tolerance: int, precision: float, recall: float
) -> None:
    agreement = edge_agreement(lines(*found), lines(*wanted), tolerance)
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0
    wanted_values = (precision, recall, f1)
    assert (agreement.precision, agreement.recall, agreement.f1) == pytest.approx(wanted_values)


def test_edges_of_one_image_do_not_reach_into_the_next() -> None:
    found = np.concatenate([lines(3), lines(9)])
    wanted = np.concatenate([lines(9), lines(3)])
    assert edge_agreement(found, wanted, tolerance=2).f1 == 0


def test_diagonal_neighbours_count_as_near() -> None:
    assert edge_agreement(mask("10 00"), mask("00 01"), tolerance=1).f1 == 1


@pytest.mark.parametrize("measure", [mask_iou, edge_agreement])
def test_shapes_must_match(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(InputError, match="different shapes"):
        measure(lines(1), lines(1, width=13))


def test_canny_finds_the_outline_of_a_square_and_nothing_else() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[8:24, 8:24] = 255
    outline = np.zeros((1, 32, 32), bool)
    outline[0, 8:24, 8:24] = True
    outline[0, 9:23, 9:23] = False
    edges = canny_edges([image, image * 0])
    assert edges.shape == (2, 32, 32)
    assert edge_agreement(edges[:1], outline, tolerance=1).f1 > 0.95
    assert not edges[1].any()
