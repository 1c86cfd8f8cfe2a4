"""Parts of a label mask as plain masks: what is drawn anew, or kept, when an image is inpainted."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from ..counted import did_you_mean
from ..errors import InputError
from .label_mask import LabelMask

Region = Literal["objects", "background", "classes"]
Border = Literal["out", "in"]
REGIONS: tuple[Region, ...] = get_args(Region)
BORDERS: tuple[Border, ...] = get_args(Border)


def select_region(
    mask: LabelMask,
    region: Region,
    names: Sequence[str] = (),
    border: Border = "out",
    grow: int = 0,
) -> np.ndarray:
    """Where a mask shows a region, bool (height, width).

    `region`: all objects, the background, or the classes `names`. `border`: whether ignored
    pixels, such as the open outline of a trimap, belong to it. `grow`: so many pixels more on all
    sides, diagonals included, or fewer where it is negative; nothing comes in over the canvas's
    edges. Raises InputError for a name that the mask's classes lack, and for a mask without the
    class "background" of which the background is asked.
    """
    values = _values(mask, region, names)
    here = np.isin(mask.labels, values)
    if border == "in":
        here |= mask.labels == mask.ignored
    return grow_region(here, grow)


def grow_region(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A bool mask (height, width) wider by `pixels` on all sides, or narrower by as many."""
    if pixels < 0:
        return ~grow_region(~mask, -pixels)
    for axis in (0, 1):
        mask = _spread(mask, pixels, axis)
    return mask


def _spread(mask: np.ndarray, pixels: int, axis: int) -> np.ndarray:
    """Where one of the pixels at most so far along an axis is set: by sums, at any distance."""
    count = mask.shape[axis]
    sums = np.insert(mask.cumsum(axis), 0, 0, axis)
    places = np.arange(count)
    above = np.take(sums, np.minimum(places + pixels + 1, count), axis)
    return above > np.take(sums, np.maximum(places - pixels, 0), axis)


def _values(mask: LabelMask, region: Region, names: Sequence[str]) -> list[int]:
    if region == "background":
        if mask.background is None:
            raise InputError(
                "The mask has no class 'background'; its classes are "
                f"{', '.join(mask.classes)}. Choose the region 'classes' and name the ones "
                "you mean."
            )
        return [mask.background]
    if region == "objects":
        return [value for value in range(len(mask.classes)) if value != mask.background]
    if not names:
        raise InputError("The region 'classes' needs the names of classes, one per line.")
    for name in names:
        if name not in mask.classes:
            raise InputError(
                f"The mask has no class named {name!r}.{did_you_mean(name, mask.classes)}"
            )
    return [mask.classes.index(name) for name in names]
