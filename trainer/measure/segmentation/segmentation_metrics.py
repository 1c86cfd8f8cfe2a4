"""Pixels counted by image and class: all that the figures of a segmenter are made of."""

from enum import IntEnum

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from ....core.masks.label_mask import IGNORE
from ..learner import Outcome

BAND = 0.02  # of the image's diagonal: what Cheng et al. 2021 call d
OUTSIDE = 254  # what an image is surrounded by; no class


class Column(IntEnum):
    """What is counted, each by the place of its column.

    BOTH: predicted and in the target. PREDICTED, TARGET: of each. EDGE_BOTH, EDGE_EITHER: the
    intersection and the union of the boundary bands. LOSS: summed over the target's pixels.
    """

    BOTH = 0
    PREDICTED = 1
    TARGET = 2
    EDGE_BOTH = 3
    EDGE_EITHER = 4
    LOSS = 5


def count_pixels(
    predicted: np.ndarray,
    target: np.ndarray,
    losses: np.ndarray,
    classes: int,
    target_band: np.ndarray | None = None,
) -> np.ndarray:
    """Counts (n, classes, columns), float64, from indices and losses (n, height, width).

    Where `target` is IGNORE nothing is counted, whatever was predicted. `target_band`:
    `boundary_bands(target)`, if it is known already.
    """
    predicted = np.where(target == IGNORE, IGNORE, predicted)
    same = np.where(predicted == target, target, IGNORE)
    predicted_band = boundary_bands(predicted)
    target_band = boundary_bands(target) if target_band is None else target_band
    both_band = np.where(predicted_band == target_band, target_band, IGNORE)
    sums = [by_class(indices, classes) for indices in (same, predicted, target)]
    bands = [by_class(indices, classes) for indices in (both_band, predicted_band, target_band)]
    either = bands[1] + bands[2] - bands[0]
    return np.stack([*sums, bands[0], either, by_class(target, classes, losses)], axis=2)


def by_class(indices: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """How many pixels have each index, or the sum of their weights: (n, classes)."""
    columns = [indices == index for index in range(classes)]
    if weights is None:
        sums = [np.count_nonzero(column, axis=(1, 2)) for column in columns]
    else:
        sums = [np.where(column, weights, 0).sum(axis=(1, 2)) for column in columns]
    return np.stack(sums, axis=1).astype(np.float64)


def boundary_bands(indices: np.ndarray) -> np.ndarray:
    """Indices (n, height, width), IGNORE but for the boundary bands."""
    return np.where(edges(indices), indices, IGNORE)


def edges(indices: np.ndarray) -> np.ndarray:
    """Which pixels lie in their own class's boundary band: bool (n, height, width).

    Those within `band` pixels of another class, of ignored pixels or of the image's edge: a class
    less its erosion, as Boundary IoU has it (Cheng et al. 2021, "Boundary IoU: Improving
    Object-Centric Image Segmentation Evaluation", section 4), for all classes in one go.
    """
    size = (1, *[2 * band(*indices.shape[1:]) + 1] * 2)
    least, most = (
        rank_filter(indices, size=size, mode="constant", cval=OUTSIDE)
        for rank_filter in (minimum_filter, maximum_filter)
    )
    return (least != most) & (indices != IGNORE)


def band(height: int, width: int) -> int:
    """The width of boundary bands in pixels: 2 % of the diagonal, one at least."""
    return max(1, round(BAND * float(np.hypot(height, width))))


MAIN = "mean IoU"


def segmentation_outcome(counts: np.ndarray) -> Outcome:
    """From counts (n, classes, columns) of n images.

    mean IoU: of each class the intersection over the union of all images' pixels, then the mean of
    the classes that are found or wanted anywhere, as torchmetrics' JaccardIndex. weighted Jaccard:
    of each image, as scikit-learn's `jaccard_score(average="weighted")`, then the mean; the thesis
    measured this. boundary IoU: as mean IoU, of boundary bands.
    """
    both, either = intersections(counts)
    by_class = ratios(both.sum(axis=0), either.sum(axis=0))
    metrics = {
        MAIN: _mean(by_class),
        "weighted Jaccard": float(compute_weighted_jaccard(counts).mean()),
        "boundary IoU": _boundary(counts),
    }
    loss, target_pixels = (counts[..., c].sum(axis=1) for c in (Column.LOSS, Column.TARGET))
    parts = image_parts(both, either)
    return Outcome(metrics, tuple(np.nan_to_num(by_class).tolist()), parts, loss / target_pixels)


def intersections(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, classes) in intersections and in unions."""
    both = counts[..., Column.BOTH]
    return both, counts[..., Column.PREDICTED] + counts[..., Column.TARGET] - both


def ratios(both: np.ndarray, either: np.ndarray) -> np.ndarray:
    """Intersection over union; nan where both are empty, which is no class to speak of."""
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)


def image_parts(both: np.ndarray, either: np.ndarray) -> np.ndarray:
    """Each image's part (n) in the mean IoU, which is exactly their mean.

    Mean IoU is no mean over images, but it has a linear part in each. With sums I_c = sum_i I_ci
    and U_c = sum_i U_ci, a little more weight w on image i moves I_c / U_c by
    w (I_ci - U_ci I_c / U_c) / U_c: the derivative of a quotient. So image i's part is

        mIoU + mean over c of  (I_ci - IoU_c U_ci) / (U_c / n)

    the value of the influence function (the infinitesimal jackknife: Efron & Tibshirani 1993, "An
    Introduction to the Bootstrap", section 21.4). Over the images the sum of I_ci - IoU_c U_ci is
    I_c - IoU_c U_c = 0, so that the parts' mean is mIoU itself, and their spread over images is,
    to first order, that of mIoU over other samples of n images.
    """
    total_both, total = both.sum(axis=0), either.sum(axis=0)
    present = total > 0
    share = ratios(total_both, total)[present]
    moves = (both[:, present] - share * either[:, present]) / (total[present] / len(both))
    return share.mean() + moves.mean(axis=1)


def compute_weighted_jaccard(counts: np.ndarray) -> np.ndarray:
    """Of each image (n): its classes' IoU, weighted by their wanted pixels."""
    target_pixels = counts[..., Column.TARGET]
    by_class = np.nan_to_num(ratios(*intersections(counts)))
    return (by_class * target_pixels).sum(axis=1) / target_pixels.sum(axis=1)


def _boundary(counts: np.ndarray) -> float:
    sums = counts.sum(axis=0)
    return _mean(ratios(sums[:, Column.EDGE_BOTH], sums[:, Column.EDGE_EITHER]))


def _mean(by_class: np.ndarray) -> float:
    """The mean of the classes that are there; nan without any."""
    there = by_class[~np.isnan(by_class)]
    return float(there.mean()) if len(there) else float("nan")
