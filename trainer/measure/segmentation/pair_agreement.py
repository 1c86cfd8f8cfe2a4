"""How far a segmenter finds what masks say, and which of their pixels are noise."""

from collections.abc import Iterable

import numpy as np

from ....core.masks.label_mask import IGNORE
from ..noise_filter import Agreement, Noise
from .segmentation_metrics import Column, by_class, intersections, ratios
from .segmentation_training import PairPrediction

ALPHA = 1.25  # of the mean loss of a class: FreeMask's tolerance margin


def agreement(counts: np.ndarray, background: int | None) -> np.ndarray:
    """Of each pair (n), from counts (n, classes, columns): the IoU of its objects.

    Intersections and unions of all classes but the background are summed, so that a speck of a
    wrong class weighs as much as it covers. 1 where neither the mask nor the segmenter has any.
    """
    both, either = intersections(counts)
    classes = [index for index in range(counts.shape[1]) if index != background]
    whole = ratios(both[:, classes].sum(axis=1), either[:, classes].sum(axis=1))
    return np.where(np.isnan(whole), 1.0, whole)


def class_agreement(counts: np.ndarray) -> np.ndarray:
    """IoU of each class (n, classes); nan for those that the mask does not show."""
    return np.where(counts[..., Column.TARGET] > 0, ratios(*intersections(counts)), np.nan)


def limits(counts: np.ndarray, alpha: float = ALPHA) -> np.ndarray:
    """The loss above which a pixel is noise, by its class in the mask (classes).

    `alpha` times the mean loss of the class's pixels in real pairs, of which `counts` are: Yang et
    al. 2023, "FreeMask: Synthetic Images with Dense Annotations Make Stronger Segmentation Models"
    (arXiv 2310.15160), section 3.3, as their published filter has it. No limit for a class that no
    real pair shows.
    """
    loss, labelled = (counts[..., column].sum(axis=0) for column in (Column.LOSS, Column.TARGET))
    return np.where(labelled > 0, alpha * loss / np.maximum(labelled, 1), np.inf)


def noisy(losses: np.ndarray, labels: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Pixels (n, height, width) whose loss exceeds the limit of their class, `most` (classes)."""
    table = np.full(IGNORE + 1, np.inf)
    table[: len(most)] = most
    return (losses > table[labels]) & (labels != IGNORE)


def plain_counts(read: PairPrediction, classes: int) -> np.ndarray:
    """`counts.counted` of what was read, without the boundary bands, which nothing here needs."""
    predicted = np.where(read.target == IGNORE, IGNORE, read.predicted)
    same = np.where(predicted == read.target, predicted, IGNORE)
    sums = [by_class(indices, classes) for indices in (same, predicted, read.target)]
    none = np.zeros_like(sums[0])
    return np.stack([*sums, none, none, by_class(read.target, classes, read.losses)], axis=2)


def read_agreement(
    predictions: Iterable[PairPrediction], most: np.ndarray, background: int | None
) -> Agreement:
    """All that is read of pairs, `most` being the limits of their classes' losses."""
    rows, shares, bits, shape = [], [], [], (0, 0)
    noise = labelled = 0
    for prediction in predictions:
        wrong = noisy(prediction.losses, prediction.target, most)
        rows.append(prediction.rows)
        shares.append(agreement(plain_counts(prediction, len(most)), background))
        bits.append(np.packbits(wrong.reshape(len(wrong), -1), axis=1))
        shape = wrong.shape[1:]
        noise, labelled = noise + wrong.sum(), labelled + (prediction.target != IGNORE).sum()
    order = np.argsort(all_rows := np.concatenate(rows))
    pixel_noise = Noise(all_rows[order], np.concatenate(bits)[order], shape)
    return Agreement(
        pixel_noise.rows,
        np.concatenate(shares)[order],
        pixel_noise,
        float(noise / max(labelled, 1)),
    )
