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
