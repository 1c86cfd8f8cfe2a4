"""A CSV table: a row for each image, with the columns file, class and, if wanted, group, split."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from ...class_folders import SPLIT_NAMES, Split
from ...classes import normalise_class
from ...counted import did_you_mean
from ...errors import InputError, read_each
from ...paths import inside
from ...text_file import read_text_file
from ..record import LabelledImage

COLUMNS = ("file", "class", "group", "split")
REQUIRED = ("file", "class")


def matches(folder: Path) -> bool:
    """Whether a CSV file in it begins with the columns file and class."""
    return any(map(_has_columns, folder.glob("*.csv")))


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The images in the order of the rows. `folder` may be the table itself.

    Raises InputError, naming the row: other columns, no file or class, a file listed twice, missing
    or outside of the table's folder, an unknown split, and a group that is in two splits.
    """
    table = folder if folder.is_file() else _single_table(folder)
    reader = csv.DictReader(StringIO(read_text_file(table, "table"), newline=""), strict=True)
    try:
        _check_columns(table, reader.fieldnames or ())
        rows = list(enumerate(reader, 2))
    except csv.Error as error:
        raise InputError(f"The table {table} cannot be read ({error}).") from None
    images = read_each(lambda row: _image(table, *row), rows)
    _check_unique(table, images)
    _check_groups(table, images)
    return images


def _single_table(folder: Path) -> Path:
    tables = sorted(folder.glob("*.csv"))
    listed = [table for table in tables if _has_columns(table)] or tables
    if len(listed) != 1:
        names = ", ".join(table.name for table in listed) or "none"
        raise InputError(
            f"{folder} needs one CSV table with the columns file and class; found: {names}. Name "
            "the table you mean, or remove the others."
        )
    return listed[0]


def _has_columns(table: Path) -> bool:
    try:
        first = read_text_file(table, "table").partition("\n")[0]
    except (OSError, InputError):
        return False
    return set(REQUIRED) <= {name.strip() for name in first.split(",")}


def _check_columns(table: Path, names: Sequence[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            near = did_you_mean(name, COLUMNS)
            raise InputError(f"The table {table} has an unknown column {name!r}.{near}")
    for name in REQUIRED:
        if name not in names:
            raise InputError(f"The table {table} has no column {name!r}: add it to the first line.")


def _image(table: Path, number: int, row: Mapping[str, str | None]) -> LabelledImage:
    where = f"{table}, line {number}"
    if None in row or None in row.values():
        raise InputError(f"{where} has another number of values than the table has columns.")
    name, class_name, group, split = ((row.get(column) or "").strip() for column in COLUMNS)
    for column, value in (("file", name), ("class", class_name)):
        if not value:
            raise InputError(f"{where} has no {column}. Fill it in, or remove the line.")
    path = inside(table.parent, name)
    if not path.is_file():
        raise InputError(f"{where} lists {name}, but there is no file {path}.")
    return LabelledImage(
        path, name, normalise_class(class_name), group=group, split=_split(split, where)
    )


def _split(name: str, where: str) -> Split | None:
    if not name:
        return None
    if name.lower() not in SPLIT_NAMES:
        raise InputError(f"{where} has an unknown split {name!r}.{did_you_mean(name, SPLIT_NAMES)}")
    return SPLIT_NAMES[name.lower()]


def _check_unique(table: Path, images: list[LabelledImage]) -> None:
    names: set[Path] = set()
    for image in images:
        if image.image.resolve() in names:
            raise InputError(f"{table} lists {image.name} twice. Remove one of the lines.")
        names.add(image.image.resolve())


def _check_groups(table: Path, images: list[LabelledImage]) -> None:
    split_by_group: dict[str, Split | None] = {}
    for image in images:
        if image.group and split_by_group.setdefault(image.group, image.split) != image.split:
            raise InputError(
                f"{table} has the group {image.group!r} in two splits, {image.split or 'none'} and "
                f"{split_by_group[image.group] or 'none'}. Keep a group in one split."
            )
