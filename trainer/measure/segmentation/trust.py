"""How far a segmenter finds what masks say, and which of their pixels are noise."""

from collections.abc import Iterable

import numpy as np

from ....core.masks.codes import IGNORE
from ..trust import Noise, Reading
from .counts import Column, by_class
from .metrics import intersections, ratios
from .training import Read

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
    return np.where(counts[..., Column.WANTED] > 0, ratios(*intersections(counts)), np.nan)


def limits(counts: np.ndarray, alpha: float = ALPHA) -> np.ndarray:
    """The loss above which a pixel is noise, by its class in the mask (classes).

    `alpha` times the mean loss of the class's pixels in real pairs, of which `counts` are: Yang et
    al. 2023, "FreeMask: Synthetic Images with Dense Annotations Make Stronger Segmentation Models"
    (arXiv 2310.15160), section 3.3, as their published filter has it. No limit for a class that no
    real pair shows.
    """
    loss, wanted = (counts[..., column].sum(axis=0) for column in (Column.LOSS, Column.WANTED))
    return np.where(wanted > 0, alpha * loss / np.maximum(wanted, 1), np.inf)


def noisy(losses: np.ndarray, wanted: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Pixels (n, height, width) whose loss exceeds the limit of their class, `most` (classes)."""
    table = np.full(IGNORE + 1, np.inf)
    table[: len(most)] = most
    return (losses > table[wanted]) & (wanted != IGNORE)


def plain_counts(read: Read, classes: int) -> np.ndarray:
    """`counts.counted` of what was read, without the boundary bands, which nothing here needs."""
    found = np.where(read.wanted == IGNORE, IGNORE, read.found)
    same = np.where(found == read.wanted, found, IGNORE)
    sums = [by_class(part, classes) for part in (same, found, read.wanted)]
    none = np.zeros_like(sums[0])
    return np.stack([*sums, none, none, by_class(read.wanted, classes, read.losses)], axis=2)


def reading(parts: Iterable[Read], most: np.ndarray, background: int | None) -> Reading:
    """All that is read of pairs, `most` being the limits of their classes' losses."""
    rows, shares, bits, shape = [], [], [], (0, 0)
    noise = labelled = 0
    for read in parts:
        wrong = noisy(read.losses, read.wanted, most)
        rows.append(read.rows)
        shares.append(agreement(plain_counts(read, len(most)), background))
        bits.append(np.packbits(wrong.reshape(len(wrong), -1), axis=1))
        shape = wrong.shape[1:]
        noise, labelled = noise + wrong.sum(), labelled + (read.wanted != IGNORE).sum()
    order = np.argsort(found := np.concatenate(rows))
    held = Noise(found[order], np.concatenate(bits)[order], shape)
    return Reading(held.rows, np.concatenate(shares)[order], held, float(noise / max(labelled, 1)))
