"""Which colours a segmentation ControlNet has learned: others tell it nothing, or mislead it."""

from collections.abc import Mapping
from pathlib import PureWindowsPath

from ..palettes import COLOURS, palette_text
from .ade20k import UNLABELLED, ade20k_colours
from .codes import Colour, colour_text

TINY = "manyshot-tiny-segmentation"
SEGMENTATION = ("_seg", "-seg", "seg_", "ade20k")  # in the names of the public ones


def unknown_colours(controlnet: str, colours: Mapping[str, Colour]) -> str | None:
    """A sentence that names the classes whose colours a ControlNet has not learned; None without.

    By its file's name: manyshot-tiny's knows core.palettes, public segmentation models know ADE20K.
    Of others nothing is known.
    """
    name = PureWindowsPath(controlnet).name
    if TINY in name.lower():
        known, way_out = set(COLOURS.values()), "Give each class a colour of it: {pet: cat}."
        taught = f"its own colours: {palette_text()}"
    elif any(mark in name.lower() for mark in SEGMENTATION):
        known, taught = {UNLABELLED, *ade20k_colours().values()}, "the colours of ADE20K"
        way_out = "Choose the palette 'ade20k', and say which of its classes stands for each."
    else:
        return None
    strange = [f"{n} {colour_text(c)}" for n, c in colours.items() if c not in known]
    if not strange:
        return None
    return (
        f"The ControlNet {name} has learned {taught}; it does not know {', '.join(strange[:8])}"
        f"{', …' if len(strange) > 8 else ''}. {way_out}"
    )
