"""Figures of segmenters against torchmetrics, scikit-learn and plain definitions."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torchmetrics")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.masks.label_mask import IGNORE
from manyshot.trainer.measure.gain import estimate_crossed_interval
from manyshot.trainer.measure.segmentation.segmentation_metrics import (
    Column,
    band,
    boundary_bands,
    count_pixels,
    edges,
    image_parts,
    intersections,
    ratios,
    segmentation_outcome,
)
from manyshot.trainer.measure.segmentation.segmentation_training import best_classes
from sklearn.metrics import jaccard_score
from torchmetrics.classification import MulticlassJaccardIndex
from torchmetrics.functional.segmentation import mean_iou


def counts_of(found: np.ndarray, wanted: np.ndarray, classes: int) -> np.ndarray:
    return count_pixels(found, wanted, np.ones(found.shape, np.float32), classes)


def by_torchmetrics(found: np.ndarray, wanted: np.ndarray, classes: int) -> float:
    metric = MulticlassJaccardIndex(classes, ignore_index=IGNORE, validate_args=False)
    return float(metric(torch.from_numpy(found).long(), torch.from_numpy(wanted).long()))


@st.composite
def masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Indices found and wanted, of which some classes may be absent and some pixels ignored."""
    classes = draw(st.integers(2, 5))
    images, side = draw(st.integers(1, 4)), draw(st.integers(2, 12))
    known = draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=classes))
    others = draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=classes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    wanted = rng.choice([*known, *draw(st.sampled_from([[], [IGNORE]]))], (images, side, side))
    return (
        rng.choice(others, wanted.shape).astype(np.uint8),
        wanted.astype(np.uint8),
        classes,
    )


@given(masks())
@settings(max_examples=60, deadline=None)
def test_mean_iou_is_that_of_torchmetrics(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    found, wanted, classes = case
    wanted[:, 0, 0] = 0  # something is labelled in every image, as the reader sees to
    outcome = segmentation_outcome(counts_of(found, wanted, classes))
    expected = by_torchmetrics(found, wanted, classes)
    assert outcome.metrics["mean IoU"] == pytest.approx(expected, abs=1e-6)
    assert outcome.by_image.mean() == pytest.approx(expected, abs=1e-6)


@given(masks())
@settings(max_examples=30, deadline=None)
def test_the_iou_of_each_class_is_that_of_torchmetrics(
    case: tuple[np.ndarray, np.ndarray, int],
) -> None:
    found, wanted, classes = case
    wanted = np.where(wanted == IGNORE, 0, wanted)  # its MeanIoU knows no ignored pixels
    both, either = intersections(counts_of(found, wanted, classes))
    one = [torch.from_numpy(part).long().reshape(1, -1, 1) for part in (found, wanted)]
    expected = mean_iou(*one, num_classes=classes, per_class=True, input_format="index")[0]
    shares = ratios(both.sum(axis=0), either.sum(axis=0))
    for share, other in zip(shares, expected.tolist(), strict=True):
        assert share == pytest.approx(other, abs=1e-6) or (np.isnan(share) and not other > 0)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ([[0, 0], [0, 0]], [[0, 0], [0, 0]], 1.0),
        ([[1, 1], [1, 1]], [[0, 0], [0, 0]], 0.0),
        ([[2, 2], [0, 0]], [[2, 2], [0, 255]], 1.0),
        ([[0, 1], [1, 1]], [[0, 1], [0, 255]], 0.5),
    ],
)
def test_degenerate_masks(found: list[list[int]], wanted: list[list[int]], expected: float) -> None:
    indices, truth = (np.array([part], np.uint8) for part in (found, wanted))
    assert segmentation_outcome(counts_of(indices, truth, 3)).metrics["mean IoU"] == expected
    assert by_torchmetrics(indices, truth, 3) == expected


def test_without_a_labelled_pixel_there_is_no_mean_iou() -> None:
    nothing = np.full((1, 3, 3), IGNORE, np.uint8)
    found = np.zeros_like(nothing)
    shares = ratios(*(part.sum(axis=0) for part in intersections(counts_of(found, nothing, 2))))
    assert np.isnan(shares).all()
    assert np.isnan(by_torchmetrics(found, nothing, 2))


@given(masks())
@settings(max_examples=30, deadline=None)
def test_weighted_jaccard_is_that_of_scikit_learn(
    case: tuple[np.ndarray, np.ndarray, int],
) -> None:
    found, wanted, classes = case
    wanted[:, 0, 0] = 0
    zero: Any = 0  # sklearn's stubs know only its "warn"
    expected = [
        jaccard_score(w[w != IGNORE], f[w != IGNORE], average="weighted", zero_division=zero)
        for f, w in zip(found, wanted, strict=True)
    ]
    outcome = segmentation_outcome(counts_of(found, wanted, classes))
    assert outcome.metrics["weighted Jaccard"] == pytest.approx(np.mean(expected))


@given(masks())
@settings(max_examples=30, deadline=None)
def test_boundary_bands_are_what_erosion_leaves(
    case: tuple[np.ndarray, np.ndarray, int],
) -> None:
    from scipy.ndimage import binary_erosion

    _, wanted, classes = case
    reach = band(*wanted.shape[1:])
    square = np.ones((2 * reach + 1, 2 * reach + 1), bool)
    for indices, found in zip(wanted, edges(wanted), strict=True):
        for index in range(classes):
            own = indices == index
            inside = np.asarray(binary_erosion(own, square, border_value=0), bool)
            expected = own & ~inside
            assert ((found & own) == expected).all()


def test_boundary_iou_sees_what_mean_iou_overlooks() -> None:
    wanted = np.zeros((1, 128, 128), np.uint8)
    wanted[:, 20:108, 20:108] = 1
    found = np.zeros_like(wanted)
    found[:, 24:104, 24:104] = 1
    metrics = segmentation_outcome(counts_of(found, wanted, 2)).metrics
    assert metrics["mean IoU"] > 0.8 > 0.5 > metrics["boundary IoU"]


def test_losses_are_of_labelled_pixels() -> None:
    wanted = np.array([[[0, 1], [IGNORE, 1]]], np.uint8)
    losses = np.array([[[1.0, 2.0], [9.0, 3.0]]], np.float32)
    counts = count_pixels(np.zeros_like(wanted), wanted, losses, 2)
    assert counts[0, :, Column.LOSS].tolist() == [1, 5]
    assert segmentation_outcome(counts).loss.tolist() == [2]


def test_the_interval_covers_other_test_images() -> None:
    """Parts of images instead of images: the interval holds the gain over all images, as often as
    it says. The bootstrap over images, which knows no linear parts, finds the same spread."""
    rng = np.random.default_rng(0)
    size = rng.lognormal(6, 1, 20_000)  # pixels of an image's object
    area = np.stack([2 * size.mean() + 0 * size, size], axis=1)

    def pairs(images: np.ndarray, skill: float) -> tuple[np.ndarray, np.ndarray]:
        share = rng.beta(20 * skill, 20 * (1 - skill), (len(images), 2))
        return share * area[images], area[images] * (2 - share)

    def miou(both: np.ndarray, either: np.ndarray) -> float:
        return float((both.sum(axis=0) / either.sum(axis=0)).mean())

    every = np.arange(len(size))
    truth = miou(*pairs(every, 0.75)) - miou(*pairs(every, 0.7))
    held, images = 0, every
    for _ in range(200):
        images = rng.integers(0, len(size), 120)
        of_draws = [[image_parts(*pairs(images, skill)) for skill in (0.75, 0.7)] for _ in range(5)]
        found = estimate_crossed_interval(np.array([better - worse for better, worse in of_draws]))
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 200 <= 0.985

    one = [pairs(images, skill) for skill in (0.75, 0.7)]
    parts = image_parts(*one[0]) - image_parts(*one[1])
    again = [rng.integers(0, 120, 120) for _ in range(400)]
    resampled = [
        miou(*(part[places] for part in one[0])) - miou(*(part[places] for part in one[1]))
        for places in again
    ]
    assert parts.std(ddof=1) / np.sqrt(120) == pytest.approx(np.std(resampled), rel=0.2)


@given(masks())
@settings(max_examples=30, deadline=None)
def test_bands_found_before_count_the_same(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    found, wanted, classes = case
    losses = np.ones(found.shape, np.float32)
    known = count_pixels(found, wanted, losses, classes, boundary_bands(wanted))
    assert (known == count_pixels(found, wanted, losses, classes)).all()


@given(st.integers(2, 7), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_the_best_class_is_that_of_argmax(classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 3, (2, classes, 5, 6)).astype(np.float32)  # many are equal
    found = best_classes(torch.from_numpy(scores))
    assert found.dtype == torch.uint8
    assert (found.numpy() == scores.argmax(axis=1)).all()
