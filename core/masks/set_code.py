"""What the masks of a folder mean: one decision for all of them, for every reader; a palette file
is what somebody wrote down of it."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..classes import check_apart, normalise_class
from ..errors import InputError
from ..recipe_file import read_recipe_file
from .conventions import IN_FOLDER, PALETTE, check_objects, infer_code
from .label_mask import (
    BACKGROUND_NAME,
    IGNORE,
    MOST_CLASSES,
    MOST_VALUE,
    OBJECT_NAME,
    WHITE,
    Colour,
    MaskCode,
)
from .labelled_png import read_class_names
from .raw import grey, read_raw

Entry = Annotated[int, Field(ge=0, le=MOST_VALUE)] | str


class Palette(BaseModel):
    """A palette file: `classes` by name, each with its value or colour "#rrggbb", or several.

    `threshold`: shades of grey are white (255) from it on and black (0) below; without `classes`
    white is the object.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: dict[str, list[Entry]] = Field(min_length=2, max_length=MOST_CLASSES)
    ignore: list[Entry] = []
    threshold: int | None = Field(default=None, ge=1, le=MOST_VALUE)

    @model_validator(mode="before")
    @classmethod
    def _black_and_white(cls, value: object) -> object:
        if isinstance(value, dict) and "threshold" in value and "classes" not in value:
            return {**value, "classes": {BACKGROUND_NAME: 0, OBJECT_NAME: WHITE}}
        return value

    @model_validator(mode="after")
    def _only_black_and_white(self) -> "Palette":
        entries = [entry for row in self.classes.values() for entry in row]
        if self.threshold is not None and set(entries) != {0, WHITE}:
            raise ValueError("with a threshold classes have 0 (below it) and 255 (from it on)")
        return self

    @field_validator("classes", mode="before")
    @classmethod
    def _one_each(cls, value: object) -> object:
        return {n: _as_list(v) for n, v in value.items()} if isinstance(value, dict) else value

    @field_validator("ignore", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return _as_list(value)


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def read_palette(path: Path) -> MaskCode:
    """The code of a palette file, classes in its order. Raises InputError."""
    return compile_palette(read_recipe_file(Palette, path), str(path))


def compile_palette(palette: Palette, where: str) -> MaskCode:
    """The code of a palette, classes in its order. Raises InputError, naming `where`."""
    rows = [*enumerate(palette.classes.values()), (IGNORE, palette.ignore)]
    entries = [(entry, index) for index, row in rows for entry in row]
    for entry, count in Counter(entry for entry, _ in entries).items():
        if count > 1:
            raise InputError(f"{where}: {entry!r} appears twice; it can mean only one class.")
    values = {entry: index for entry, index in entries if isinstance(entry, int)}
    colours = {_colour(e, where): index for e, index in entries if isinstance(e, str)}
    check_apart(palette.classes)
    names = tuple(map(normalise_class, palette.classes))
    return MaskCode(names, values, colours, palette.threshold)


def _colour(text: str, where: str) -> Colour:
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise InputError(f"{where}: {text!r} is neither a value nor a colour such as #ff6000.")
    red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue


def set_code(masks: Sequence[Path], folder: Path, palette: Path | None = None) -> MaskCode | None:
    """What the masks of a folder mean: by `palette`, by palette.yaml in it, or by their values.

    None where all of them name their classes, or where there are none. Raises InputError where
    some do and others do not, and as `infer_code` does.
    """
    beside = folder / PALETTE
    chosen = palette or (beside if beside.is_file() else None)
    if chosen is not None:
        return read_palette(chosen)
    plain = [mask for mask in masks if read_class_names(mask) is None]
    if not plain:
        return None
    if len(plain) < len(masks):
        raise InputError(
            f"The mask {plain[0]} does not name its classes, as other masks in its folder do "
            f"({len(masks) - len(plain)} of {len(masks)}). Say what its values mean in "
            f"{IN_FOLDER}."
        )
    return infer_code(plain)


def code_beside(
    masks: Sequence[Path], folder: Path, code: MaskCode, of: str, stated: bool = False
) -> MaskCode:
    """What the masks of another folder mean, by the classes of `code`, which are those of `of`
    ("the real masks").

    They are decided on by themselves: by palette.yaml in their folder, by their names or colours,
    by `code` where a palette has `stated` it, or by their values. Classes go by name. Raises
    InputError for a class that `code` lacks, and for masks of which none shows an object.
    """
    if (folder / PALETTE).is_file():
        return _translate(read_palette(folder / PALETTE), code, folder, of)
    plain = [mask for mask in masks if read_class_names(mask) is None]
    if not plain or (code.colours and grey(read_raw(plain[0])) is None):
        return code
    if stated:
        check_objects(plain, code, folder)
        return code
    return _translate(infer_code(plain), code, folder, of)


def _translate(source: MaskCode, code: MaskCode, folder: Path, of: str) -> MaskCode:
    """`source` with the places of its classes in `code`, by name."""
    classes = code.classes
    for name in source.classes:
        if name not in classes:
            raise InputError(
                f"The masks of {folder} show {name!r} ({source.text()}), which {of} do not "
                f"have: {', '.join(classes)}. Use the same class names in both: {IN_FOLDER}."
            )
    places = [classes.index(name) for name in source.classes]

    def translate(index: int) -> int:
        return IGNORE if index == IGNORE else places[index]

    values = {value: translate(index) for value, index in source.values.items()}
    colours = {colour: translate(index) for colour, index in source.colours.items()}
    return MaskCode(classes, values, {**code.colours, **colours}, source.threshold)
