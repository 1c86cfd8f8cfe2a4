"""Pixels counted by image and class: all that the figures of a segmenter are made of."""

from enum import IntEnum

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

from ....core.masks.codes import IGNORE

BAND = 0.02  # of the image's diagonal: what Cheng et al. 2021 call d
OUTSIDE = 254  # what an image is surrounded by; no class


class Column(IntEnum):
    """What is counted, each by the place of its column.

    BOTH: found and wanted. FOUND, WANTED: one at least. EDGE_BOTH, EDGE_EITHER: of the boundary
    bands, in both and in one at least. LOSS: summed over the wanted pixels.
    """

    BOTH = 0
    FOUND = 1
    WANTED = 2
    EDGE_BOTH = 3
    EDGE_EITHER = 4
    LOSS = 5


def counted(
    found: np.ndarray,
    wanted: np.ndarray,
    losses: np.ndarray,
    classes: int,
    wanted_band: np.ndarray | None = None,
) -> np.ndarray:
    """Counts (n, classes, columns), float64, from indices and losses (n, height, width).

    Where `wanted` is IGNORE nothing is counted, whatever was found there. `wanted_band`: what
    `banded` makes of `wanted`, where it is known already.
    """
    found = np.where(wanted == IGNORE, IGNORE, found)
    same = np.where(found == wanted, wanted, IGNORE)
    found_band = banded(found)
    wanted_band = banded(wanted) if wanted_band is None else wanted_band
    both_band = np.where(found_band == wanted_band, wanted_band, IGNORE)
    sums = [by_class(part, classes) for part in (same, found, wanted)]
    bands = [by_class(part, classes) for part in (both_band, found_band, wanted_band)]
    either = bands[1] + bands[2] - bands[0]
    return np.stack([*sums, bands[0], either, by_class(wanted, classes, losses)], axis=2)


def by_class(indices: np.ndarray, classes: int, weights: np.ndarray | None = None) -> np.ndarray:
    """How many pixels have each index, or the sum of their weights: (n, classes)."""
    columns = [indices == index for index in range(classes)]
    if weights is None:
        sums = [np.count_nonzero(column, axis=(1, 2)) for column in columns]
    else:
        sums = [np.where(column, weights, 0).sum(axis=(1, 2)) for column in columns]
    return np.stack(sums, axis=1).astype(np.float64)


def banded(indices: np.ndarray) -> np.ndarray:
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
        one(indices, size=size, mode="constant", cval=OUTSIDE)
        for one in (minimum_filter, maximum_filter)
    )
    return (least != most) & (indices != IGNORE)


def band(height: int, width: int) -> int:
    """The width of boundary bands in pixels: 2 % of the diagonal, one at least."""
    return max(1, round(BAND * float(np.hypot(height, width))))
