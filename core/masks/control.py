"""Labels to control images: in a palette of their own, or in ADE20K's colours; and back.

Canny maps and soft edges are drawn from photos, not from labels: trainer/edges.py.
"""

from collections.abc import Mapping
from itertools import count
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..nearest import did_you_mean
from ..palettes import COLOURS
from .ade20k import UNLABELLED, ade20k_class, ade20k_colours
from .codes import Colour, MaskCode
from .raw import indices
from .read import BACKGROUND, LabelMask

BORDER: Colour = COLOURS["border"]  # pixels that nothing is said of


def own_colours(classes: tuple[str, ...]) -> dict[str, Colour]:
    """A colour for each class: core.palettes' own where it has one, else Pascal VOC's in turn."""
    reserved = {
        BORDER,
        COLOURS[BACKGROUND],
        *(COLOURS[name] for name in classes if name in COLOURS),
    }
    free = (colour for colour in map(_voc_colour, count(1)) if colour not in reserved)
    return {name: COLOURS[name] if name in COLOURS else next(free) for name in classes}


def _voc_colour(index: int) -> Colour:
    """The colour map of Pascal VOC: three bits of the index for each bit of red, green, blue."""
    red, green, blue = (
        sum((index >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8))
        for channel in range(3)
    )
    return red, green, blue


def ade20k_table(
    classes: tuple[str, ...], stands_for: Mapping[str, str | None] | None = None
) -> dict[str, Colour]:
    """The colour of each class by the class of ADE20K that stands for it; None leaves it black.

    Without a word in `stands_for` a class goes by its own name; background stays black. Raises
    InputError, with the nearest name, for a class that ADE20K lacks or that `classes` has not.
    """
    chosen = {BACKGROUND: None, **(stands_for or {})}
    for name in sorted(chosen.keys() - {BACKGROUND, *classes}):
        raise InputError(f"The mask has no class named {name!r}.{did_you_mean(name, classes)}")
    stand_ins = {name: chosen.get(name, name) for name in classes}
    colours = ade20k_colours()
    return {
        name: UNLABELLED if other is None else colours[ade20k_class(other)]
        for name, other in stand_ins.items()
    }


def draw_control(
    mask: LabelMask, colours: Mapping[str, Colour] | None = None, open_colour: Colour = BORDER
) -> np.ndarray:
    """The control image, bytes (height, width, 3); ignored pixels in `open_colour`.

    `colours`: by class, its own palette unless given. Raises InputError for a class that the mask
    shows and that they lack.
    """
    colours = own_colours(mask.classes) if colours is None else colours
    table = np.zeros((256, 3), np.uint8)
    table[mask.ignored] = open_colour
    for value in np.unique(mask.labels).tolist():
        if value != mask.ignored:
            table[value] = _colour(mask.classes[value], colours)
    return table[mask.labels]


def _colour(name: str, colours: Mapping[str, Colour]) -> Colour:
    if name not in colours:
        raise InputError(f"The palette has no colour for {name!r}.{did_you_mean(name, colours)}")
    return colours[name]


def decode_control(control: np.ndarray, code: MaskCode, path: Path) -> LabelMask:
    """The mask of a control image, bytes (height, width, 3), by `read.colour_code`.

    Raises InputError for a colour that `code` lacks, with its place and the nearest colour.
    """
    return LabelMask(indices(control, code, path), code.classes)
