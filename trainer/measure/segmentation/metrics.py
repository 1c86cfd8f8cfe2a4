"""How good a segmenter is: mean IoU and its kin, and each test image's part in it."""

import numpy as np

from ..learner import Outcome
from .counts import Column

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
        "weighted Jaccard": float(weighted_jaccard(counts).mean()),
        "boundary IoU": _boundary(counts),
    }
    loss, wanted = (counts[..., c].sum(axis=1) for c in (Column.LOSS, Column.WANTED))
    parts = image_parts(both, either)
    return Outcome(metrics, tuple(np.nan_to_num(by_class).tolist()), parts, loss / wanted)


def intersections(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, classes) in intersections and in unions."""
    both = counts[..., Column.BOTH]
    return both, counts[..., Column.FOUND] + counts[..., Column.WANTED] - both


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
    seen = total > 0
    share = ratios(total_both, total)[seen]
    moves = (both[:, seen] - share * either[:, seen]) / (total[seen] / len(both))
    return share.mean() + moves.mean(axis=1)


def weighted_jaccard(counts: np.ndarray) -> np.ndarray:
    """Of each image (n): its classes' IoU, weighted by their wanted pixels."""
    wanted = counts[..., Column.WANTED]
    by_class = np.nan_to_num(ratios(*intersections(counts)))
    return (by_class * wanted).sum(axis=1) / wanted.sum(axis=1)


def _boundary(counts: np.ndarray) -> float:
    sums = counts.sum(axis=0)
    return _mean(ratios(sums[:, Column.EDGE_BOTH], sums[:, Column.EDGE_EITHER]))


def _mean(by_class: np.ndarray) -> float:
    """The mean of the classes that are there; nan without any."""
    there = by_class[~np.isnan(by_class)]
    return float(there.mean()) if len(there) else float("nan")
