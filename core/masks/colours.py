"""Which colour each class of a mask has in a control image."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

from ..counted import did_you_mean
from ..errors import InputError
from ..lines import read_words
from ..palettes import COLOURS
from .ade20k import UNLABELLED, ade20k_class
from .control import BORDER, ade20k_table, own_colours
from .label_mask import Colour

ControlPalette = Literal["own", "ade20k"]
PALETTES: tuple[ControlPalette, ...] = get_args(ControlPalette)


def control_colours(
    classes: tuple[str, ...],
    palette: ControlPalette = "own",
    table: Mapping[str, str | None] | None = None,
) -> dict[str, Colour]:
    """The colour of each class, for `control.draw_control`.

    `table`: for a class a colour "#rrggbb", another name to go by (of ADE20K; of the own palette,
    that of another class), or None for black. Raises InputError, with the nearest name, for names
    that `classes` or the palette lack.
    """
    stand_ins = table or {}
    for name in stand_ins:
        if name not in classes:
            raise InputError(f"The masks have no class {name!r}.{did_you_mean(name, classes)}")
    fixed = {name: hex_colour(text) for name, text in stand_ins.items() if _is_hex(text)}
    names = {name: text for name, text in stand_ins.items() if name not in fixed}
    if palette == "ade20k":
        return ade20k_table(classes, {**names, **dict.fromkeys(fixed)}) | fixed
    palette_colours = {**COLOURS, **own_colours(classes)}
    renamed = {name: _own(palette_colours, text) for name, text in names.items()}
    return {name: palette_colours[name] for name in classes} | fixed | renamed


def read_table(text: str) -> dict[str, str | None]:
    """The table of a text box: "class: other name", "class: #rrggbb" or "class: none" a line.

    Raises InputError for a line of another form, and for a class named twice.
    """
    return {
        name: None if other.lower() == "none" else other for name, other in read_words(text).items()
    }


def check_table(table: Mapping[str, str | None], palette: ControlPalette) -> None:
    """Raises InputError, with the nearest, for a name that ADE20K lacks where it is the palette;
    what can be said before a mask is known."""
    for other in table.values() if palette == "ade20k" else ():
        if other is not None and not _is_hex(other):
            ade20k_class(other)


def open_colour(palette: ControlPalette) -> Colour:
    """The colour of pixels that nothing is said of: ADE20K knows no border."""
    return UNLABELLED if palette == "ade20k" else BORDER


def hex_colour(text: str | None) -> Colour:
    """The colour of "#ff6000"."""
    red, green, blue = bytes.fromhex(str(text).removeprefix("#"))
    return red, green, blue


def _is_hex(text: str | None) -> bool:
    return text is not None and bool(re.fullmatch("#[0-9a-fA-F]{6}", text))


def _own(colours: Mapping[str, Colour], name: str | None) -> Colour:
    if name is None:
        return COLOURS["background"]
    if name not in colours:
        raise InputError(
            f"{name!r} is neither a colour such as #ff6000 nor a "
            f"class.{did_you_mean(name, colours)}"
        )
    return colours[name]
