"""metadata.jsonl as lines of JSON that the driver shares with others: what they wrote stays.

Needs no pydantic, as all that the WebUI's extension takes does.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from .counted import pluralize
from .dataset_files import METADATA
from .errors import InputError, ManyshotError
from .files import make_folder, open_atomic, open_regular
from .json_text import parse_json, read_bounded_lines

LOCK_SECONDS = 60
OWN_NAME = re.compile(r"images/([^/]+)/([0-9a-f]{32})_(\d{1,6})\.png")
"""The file name of an image that the driver made: class name, job id, number."""
Line = dict[str, Any]


@dataclass(frozen=True)
class Remarks:
    """What a metadata.jsonl holds that the driver did not write.

    `added`: of the driver's own images, fields that others added: file_name -> fields. `kept`:
    what the lines say of that, with the reason. `others`: whole lines of other images.
    """

    added: dict[str, Line] = field(default_factory=dict)
    reviews: dict[str, tuple[bool, str | None]] = field(default_factory=dict)
    foreign_lines: list[Line] = field(default_factory=list)


def read_lines(folder: Path) -> Iterator[Line]:
    """The lines of a folder's metadata.jsonl; none without it. A last line without its end, as a
    killed writer leaves, is no line.

    Raises InputError for a file that cannot be read, and for a line that is no JSON object with a
    file_name.
    """
    path = folder / METADATA
    if not path.exists() and not path.is_symlink():
        return
    with _open(path) as file:
        for number, text in enumerate(_lines(file, path), 1):
            if text.strip() and (line := _parse_line(path, number, text)) is not None:
                yield line


def _open(path: Path) -> IO[bytes]:
    try:
        return open_regular(path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}. Repair it, or move it away: manyshot "
            "run rewrites its own lines."
        ) from None


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from read_bounded_lines(file)
    except ValueError as error:
        raise InputError(f"A line of {path} cannot be read: {error}.") from None


def read_remarks(folder: Path, own_fields: Iterable[str]) -> Remarks:
    """What others wrote into a folder's metadata.jsonl. `own_fields` are the driver's.

    Raises InputError as `read_lines` does.
    """
    remarks, own_names = Remarks(), {*own_fields, "kept", "reason"}
    for line in read_lines(folder):
        name = line["file_name"]
        if not is_own(line):
            remarks.foreign_lines.append(line)
            continue
        added = {k: v for k, v in line.items() if k not in own_names and v not in ({}, None)}
        if added:
            remarks.added[name] = added
        remarks.reviews[name] = (line.get("kept") is not False, line.get("reason"))
    return remarks


def is_own(line: Mapping[str, Any]) -> bool:
    """Whether the driver, or the WebUI's extension, wrote this line: Save Labelled and others name
    no workflow."""
    return bool(line.get("workflow")) and OWN_NAME.fullmatch(line["file_name"]) is not None


def check_foreign_lines(
    folder: Path, foreign_lines: Sequence[Line], class_names: Sequence[str]
) -> None:
    """Raises InputError when lines of others cannot stand beside those of these classes."""
    labels = {label: name for label, name in enumerate(class_names)}
    for line in foreign_lines:
        problem = _misfit(line, labels)
        if problem:
            raise InputError(
                f"{folder / METADATA} has {pluralize(len(foreign_lines), 'line')} that "
                f"manyshot run did not write and that conflict with its own: {problem}. "
                "Choose another output; nothing was changed."
            )
        labels.setdefault(line["label"], line["class_name"])


def write_lines(folder: Path, rows: Iterable[Line], read: Callable[[], Remarks]) -> None:
    """metadata.jsonl anew: `rows`, with what others added to them, then the lines of others.

    `read` is called once nobody else writes the file, and says what they wrote.
    """
    with lock_metadata(folder), open_atomic(folder / METADATA) as file:
        remarks = read()
        for row in rows:
            file.write(encode_line({**row, **remarks.added.get(row["file_name"], {})}))
        for line in remarks.foreign_lines:
            file.write(encode_line(line))


def encode_line(line: Mapping[str, Any]) -> bytes:
    """One line of JSON, with its newline."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    return (text + "\n").encode("utf-8", "replace")


@contextmanager
def lock_metadata(folder: Path) -> Iterator[None]:
    """Nobody else writes the folder's metadata.jsonl meanwhile.

    Raises ManyshotError when another program keeps it for LOCK_SECONDS.
    """
    path = folder / METADATA
    make_folder(folder)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise ManyshotError(
            f"Another program has kept {path} locked for {LOCK_SECONDS} seconds. Close it."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _parse_line(path: Path, number: int, text: bytes) -> Line | None:
    try:
        line = parse_json(text)
        if isinstance(line, dict) and isinstance(line.get("file_name"), str):
            return line
        problem = "it is not a JSON object with a file_name"
    except ValueError as error:
        if not text.endswith(b"\n"):
            return None
        problem = str(error)
    raise InputError(
        f"{path}, line {number} cannot be read: {problem}. Repair it, or move the file away: "
        "manyshot run rewrites its own lines."
    )


def _misfit(line: Line, labels: Mapping[int, str]) -> str | None:
    """Why a line cannot stand beside these labels."""
    name, label = line.get("class_name"), line.get("label")
    if not isinstance(name, str) or not isinstance(label, int) or isinstance(label, bool):
        return f"that of {line['file_name']!r} has no class_name with a label"
    if labels.get(label, name) != name:
        return f"{name!r} has the label {label}, which is that of {labels[label]!r}"
    other = next((key for key, value in labels.items() if value == name and key != label), None)
    if other is not None:
        return f"{name!r} has the label {label}, and {other} in the recipe"
    return None
