"""What the values and colours in mask files mean: which class, or that nothing is to be learned."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..errors import InputError
from ..palettes import BACKGROUND, BORDER, COLOURS, PET
from ..recipe_file import read_recipe_file

IGNORE = 255  # the index of pixels that are neither learned from nor counted
MOST_CLASSES = 254
Colour = tuple[int, int, int]
Entry = Annotated[int, Field(ge=0, lt=2**16 - 1)] | str


@dataclass(frozen=True)
class MaskCode:
    """From the `values` of masks of one channel and the `colours` of others to indices.

    An index is a place in `classes`, or IGNORE.
    """

    classes: tuple[str, ...]
    values: Mapping[int, int]
    colours: Mapping[Colour, int]

    def text(self) -> str:
        """The known values and colours in words."""
        values = [f"{value} {self.name(index)}" for value, index in self.values.items()]
        colours = [f"{colour_text(c)} {self.name(index)}" for c, index in self.colours.items()]
        return ", ".join([*values, *colours])

    def name(self, index: int) -> str:
        """The class of an index."""
        return "ignored" if index == IGNORE else self.classes[index]


# Trimaps, their control images in colours, and masks that are black or white. Where the annotators
# left the outline open, nothing is learned and nothing is counted.
PETS = MaskCode(
    ("background", "pet"),
    {BACKGROUND: 0, PET: 1, BORDER: IGNORE, 0: 0, 255: 1},
    {
        COLOURS["background"]: 0,
        COLOURS["cat"]: 1,
        COLOURS["dog"]: 1,
        COLOURS["border"]: IGNORE,
    },
)


def trimap_code(class_name: str) -> MaskCode:
    """Trimaps of one class of pets, their control images, and masks that are black or white."""
    return replace(PETS, classes=("background", class_name))


class Palette(BaseModel):
    """A palette file: `classes` by name, each with its value or colour "#rrggbb", or several."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: dict[str, list[Entry]] = Field(min_length=2, max_length=MOST_CLASSES)
    ignore: list[Entry] = []

    @field_validator("classes", mode="before")
    @classmethod
    def _one_each(cls, value: object) -> object:
        return {n: _listed(v) for n, v in value.items()} if isinstance(value, dict) else value

    @field_validator("ignore", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return _listed(value)


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def read_palette(path: Path) -> MaskCode:
    """The code of a palette file, classes in its order. Raises InputError."""
    return code_of(read_recipe_file(Palette, path), str(path))


def code_of(palette: Palette, where: str) -> MaskCode:
    """The code of a palette, classes in its order. Raises InputError, naming `where`."""
    rows = [*enumerate(palette.classes.values()), (IGNORE, palette.ignore)]
    entries = [(entry, index) for index, row in rows for entry in row]
    for entry, count in Counter(entry for entry, _ in entries).items():
        if count > 1:
            raise InputError(f"{where}: {entry!r} stands there twice; it can mean one class only.")
    values = {entry: index for entry, index in entries if isinstance(entry, int)}
    colours = {_colour(e, where): index for e, index in entries if isinstance(e, str)}
    return MaskCode(tuple(palette.classes), values, colours)


def _colour(text: str, where: str) -> Colour:
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise InputError(f"{where}: {text!r} is no value and no colour such as #ff6000.")
    red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def colour_text(colour: Sequence[int]) -> str:
    """As "#ff6000"."""
    return "#" + "".join(f"{value:02x}" for value in colour)


def found_code(paths: Iterable[Path], read: Callable[[Path], np.ndarray]) -> MaskCode:
    """The code of masks of one channel without a palette file: each value found is a class.

    255 is ignored, as usual, unless nothing is found but 0 and 255: black and white. Raises
    InputError for masks in colours, and for fewer than two classes.
    """
    found: set[int] = set()
    for path in paths:
        mask = read(path)
        if mask.ndim == 3:
            raise InputError(
                f"The mask {path} has colours. Write a palette file that says what they mean: "
                "'palette.yaml' in the folder, or 'palette' in the recipe."
            )
        found.update(np.unique(mask).tolist())
    if found == {0, 255}:
        return MaskCode(("background", "object"), {0: 0, 255: 1}, {})
    values = sorted(found - {IGNORE})
    if not 2 <= len(values) <= MOST_CLASSES:
        raise InputError(
            f"The masks hold {len(values)} values beside 255, which is ignored; classes are 2 to "
            f"{MOST_CLASSES}. A palette file says what other masks mean: 'palette.yaml' in the "
            "folder, or 'palette' in the recipe."
        )
    names = tuple("background" if value == 0 else f"class {value}" for value in values)
    return MaskCode(names, {v: i for i, v in enumerate(values)} | {IGNORE: IGNORE}, {})
