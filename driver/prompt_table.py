"""A table of prompts: a spreadsheet's rows in place of templates, with job fields of its own."""

import csv
import hashlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..core.classes import check_class_names, normalise_class
from ..core.counted import did_you_mean, pluralize
from ..core.errors import InputError
from ..core.json_text import parse_json
from ..core.prompts import MAX_SEED, ResolvedPrompt
from ..core.text_file import read_text_file
from .field_text import FIELDS

Cell = str | int | float | bool
REQUIRED = ("class_name", "prompt")
OPTIONAL = ("negative", "seed", "images", "id")
MOST_SEED = 2**64 - 1
_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `images` of a class. `number`: its line, or its place in JSON Lines, from 1."""

    number: int
    class_name: str
    prompt: str
    negative: str | None
    seed: int | None
    images: int
    fields: dict[str, Cell]
    key: bytes
    """Of what it says, and how many equal rows came before: its images' seeds follow from it."""


@dataclass(frozen=True)
class PromptTable:
    """The rows of a file, by class in the order in which classes first appear.

    `fields`: the names of the columns that are job fields of its own.
    """

    path: Path
    fields: tuple[str, ...]
    rows: Mapping[str, Sequence[Row]]

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.rows)

    def image_counts(self) -> dict[str, int]:
        """Class name -> how many images its rows ask for."""
        return {name: sum(row.images for row in rows) for name, rows in self.rows.items()}

    def check_batches(self, batch: int) -> None:
        """Raises InputError for a row whose images are no whole number of jobs of `batch`."""
        for row in (row for rows in self.rows.values() for row in rows if row.images % batch):
            raise InputError(
                f"{_at(self.path, row.number)}: {row.images} images, but each job makes {batch} "
                f"of one prompt. Write {row.images + batch - row.images % batch} in a column "
                "'images', or set 'batch_size: 1'."
            )


class ClassPromptSets:
    """Prompts of classes that have some of their own: class name -> what makes them."""

    def __init__(self, sets: Mapping[str, Any]) -> None:
        self._sets = sets
        self.class_names = tuple(sets)

    def at(
        self, class_name: str, index: int, seed: int, shown: Sequence[str] = (), step: int = 1
    ) -> ResolvedPrompt:
        """As `core.prompts.PromptSet.at`, of the class's own."""
        return self._sets[class_name].at(class_name, index, seed, shown, step)


class TablePrompts:
    """The rows as `core.prompts.PromptSet` has templates: image `index` of a class is one of its
    rows'. `negative` is that of rows without one."""

    def __init__(self, table: PromptTable, class_names: Sequence[str], negative: str) -> None:
        self.class_names = tuple(class_names)
        self._negative = negative
        self._places = {
            name: [(row, number) for row in rows for number in range(row.images)]
            for name, rows in table.rows.items()
        }

    def at(
        self, class_name: str, index: int, seed: int, shown: Sequence[str] = (), step: int = 1
    ) -> ResolvedPrompt:
        """The prompt of image `index` (from 0) of a class. Image k of a row with a seed has that
        seed + k; other seeds follow from the recipe's and from what the row says."""
        row, number = self._places[class_name][index]
        negative = self._negative if row.negative is None else row.negative
        return ResolvedPrompt(class_name, row.prompt, negative, _seed(row, number, seed))

    def fields(self, class_name: str, index: int) -> dict[str, Cell]:
        """The job fields of image `index` that the table alone has."""
        return self._places[class_name][index][0].fields


def _seed(row: Row, number: int, seed: int) -> int:
    if row.seed is not None:
        return (row.seed + number) % (MOST_SEED + 1)
    digest = hashlib.blake2b(f"{seed}\0{number}\0".encode() + row.key, digest_size=8).digest()
    return int.from_bytes(digest, "big") & MAX_SEED


def read_table(path: Path) -> PromptTable:
    """The rows of a .csv (the first line names the columns) or a .jsonl (an object a line).

    Raises InputError, naming the row, for what is missing, unknown or of another kind.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"The prompts file {path} cannot be read: {error.strerror}.") from None
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, modified: int, size: int) -> PromptTable:
    readers = {".csv": _csv_rows, ".jsonl": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"The prompts file {path} is neither a .csv nor a .jsonl. Save the table as one of "
            "these; a list of templates stands in the recipe itself."
        )
    columns, raw = reader(path, read_text_file(path, "prompts file"))
    fields = _own_fields(path, columns)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    equal: Counter[bytes] = Counter()
    for number, cells in raw:
        row = _row(path, number, cells, fields, equal)
        rows[row.class_name].append(row)
    if not rows:
        raise InputError(f"The prompts file {path} has no rows below its header.")
    check_class_names(rows)
    return PromptTable(path, fields, dict(rows))


Cells = Mapping[str, Any]


def _csv_rows(path: Path, text: str) -> tuple[list[str], Iterator[tuple[int, Cells]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip() for name in _next_line(path, reader) or []]
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise InputError(f"{path} has two columns named {twice[0]!r}. Rename one of them.")

    def rows() -> Iterator[tuple[int, Cells]]:
        while (cells := _next_line(path, reader)) is not None:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                there, columns = pluralize(len(cells), "cell"), pluralize(len(header), "column")
                raise InputError(
                    f"{_at(path, reader.line_num)}: {there}, but the header names {columns}. "
                    "Put text with commas in double quotes."
                )
            yield reader.line_num, dict(zip(header, cells, strict=True))

    return header, rows()


def _next_line(path: Path, reader: Any) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise InputError(f"{_at(path, reader.line_num)}: {error}.") from None


def _json_rows(path: Path, text: str) -> tuple[list[str], Iterator[tuple[int, Cells]]]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    columns = list(_object(path, *lines[0])) if lines else []

    def rows() -> Iterator[tuple[int, Cells]]:
        for number, line in lines:
            cells = _object(path, number, line)
            other = next((name for name in cells if name not in columns), None)
            if other:
                raise InputError(
                    f"{_at(path, number)}: there is no column {other!r} in the first row."
                    f"{did_you_mean(other, columns)} Give every row the same keys; null is empty."
                )
            yield number, cells

    return columns, rows()


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = parse_json(line)
    except ValueError as error:
        raise InputError(f"{_at(path, number)} is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InputError(f'{_at(path, number)} is no JSON object, such as {{"prompt": …}}.')
    return value


def _own_fields(path: Path, columns: Sequence[str]) -> tuple[str, ...]:
    for name in REQUIRED:
        if name not in columns:
            raise InputError(
                f"The prompts file {path} has no column {name!r}. Name one so: its columns are "
                f"{', '.join(map(repr, columns)) or 'none'}."
            )
    fields = [name for name in columns if name not in (*REQUIRED, *OPTIONAL)]
    for name in fields:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"The column {name!r} of {path} cannot be a job field: use letters, digits and _."
            )
        if name in FIELDS:
            raise InputError(
                f"The column {name!r} of {path} has the name of a job field that every recipe "
                "has. Rename it."
            )
    return (*fields, *(["id"] if "id" in columns else []))


def _row(
    path: Path, number: int, cells: Cells, fields: Sequence[str], equal: Counter[bytes]
) -> Row:
    where = _at(path, number)
    class_name = normalise_class(_text(where, cells, "class_name").strip())
    prompt = _text(where, cells, "prompt")
    for name, value in (("class_name", class_name), ("prompt", prompt.strip())):
        if not value:
            raise InputError(f"{where}: the cell {name!r} is empty. Fill it in, or remove the row.")
    negative = _text(where, cells, "negative") if cells.get("negative") not in (None, "") else None
    extra = {name: _cell(where, name, cells.get(name)) for name in fields}
    content = "\0".join(
        [class_name, prompt, negative or "", *(f"{n}={v}" for n, v in extra.items())]
    )
    digest = str(extra["id"]).encode() if extra.get("id") not in (None, "") else content.encode()
    equal[digest] += 1
    return Row(
        number=number,
        class_name=class_name,
        prompt=prompt,
        negative=negative,
        seed=_whole(where, cells, "seed", 0, MOST_SEED),
        images=_whole(where, cells, "images", 1, 10**6) or 1,
        fields=extra,
        key=digest + b"\0" + str(equal[digest]).encode(),
    )


def _text(where: str, cells: Cells, name: str) -> str:
    value = cells.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{where}: {name!r} is {value!r}, but must be text. Quote it.")
    return value


def _cell(where: str, name: str, value: Any) -> Cell:
    """A cell of a column of the user's own: of a CSV a number where it reads the same as one."""
    if value is None:
        return ""
    if isinstance(value, str) and name != "id" and _NUMBER.fullmatch(value):
        number = float(value) if "." in value else int(value)
        return number if str(number) == value else value
    if isinstance(value, str | int | float | bool):
        return value
    raise InputError(f"{where}: {name!r} is a {type(value).__name__}, but must be one value.")


def _whole(where: str, cells: Cells, name: str, least: int, most: int) -> int | None:
    value = cells.get(name)
    if value is None or value == "":
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdecimal() or not least <= int(text) <= most:
        raise InputError(
            f"{where}: {name!r} is {value!r}, but must be a whole number of {least} to {most:,}."
        )
    return int(text)


def _at(path: Path, number: int) -> str:
    return f"{path}, row {number}"
