"""Labels to control images: in a palette of their own, or in ADE20K's colours; and back.

Canny maps and soft edges are drawn from photos, not from labels: trainer/edges.py.
"""

from collections.abc import Mapping
from itertools import count
from pathlib import PureWindowsPath

import numpy as np

from ..counted import did_you_mean
from ..errors import InputError
from ..palettes import COLOURS, palette_text
from .ade20k import UNLABELLED, ade20k_class, ade20k_colours
from .label_mask import BACKGROUND, Colour, LabelMask, colour_text

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


TINY = "manyshot-tiny-segmentation"
SEGMENTATION = ("_seg", "-seg", "seg_", "ade20k")  # in the names of the public ones


def unknown_colours(controlnet: str, colours: Mapping[str, Colour]) -> str | None:
    """A sentence that names the classes whose colours a ControlNet has not learned; None without.

    By its file's name: manyshot-tiny's knows core.palettes, public segmentation models know ADE20K.
    Of others nothing is known.
    """
    name = PureWindowsPath(controlnet).name
    tiny = TINY in name.lower()
    if not tiny and not any(mark in name.lower() for mark in SEGMENTATION):
        return None
    learned = set(COLOURS.values()) if tiny else {UNLABELLED, *ade20k_colours().values()}
    strange = {n: c for n, c in colours.items() if c not in learned}
    if not strange:
        return None
    shown = ", ".join(f"{n} {colour_text(c)}" for n, c in list(strange.items())[:8])
    more = ", …" if len(strange) > 8 else ""
    taught = f"its own colours: {palette_text()}" if tiny else "the colours of ADE20K"
    way_out = (
        f"Give each class one of its colours: {{{next(iter(strange))}: cat}}."
        if tiny
        else "Choose the palette 'ade20k', and map each class to one of its classes."
    )
    return (
        f"The ControlNet {name} has learned {taught}; it has not learned {shown}{more}. {way_out}"
    )
