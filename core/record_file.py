"""metadata.jsonl as a file that several programs add to: whole lines, under a lock, each once."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .files import make_folder, read_regular, sync_folder, write_atomic
from .metadata_lines import lock_metadata
from .records import METADATA, Record, read_records


@dataclass
class _Index:
    """What a metadata.jsonl holds, so that adding one record does not read all others again."""

    stamp: tuple[int, int, int] | None = None  # of the file when it was read
    labels: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)  # file_name -> hash of its line


_indexes: dict[Path, _Index] = {}  # one for every folder this process has added to


def add_records(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[Record]:
    """Add one record for each row (a Record's fields, without `label`) and return them.

    A class keeps the label it has in the folder; a new one gets the next, in the order of first
    appearance. A row whose file_name is there already replaces its record. The lines have reached
    the disk on return. Raises ManyshotError as metadata_lines.locked does.
    """
    make_folder(folder)
    path = folder / METADATA
    with lock_metadata(folder):
        index = _read_index(folder, path)
        records = [_label(row, index.labels) for row in rows]
        once = {record.file_name: record for record in records}
        changed = [record for record in once.values() if _is_new(record, index)]
        replaced = any(record.file_name in index.lines for record in changed)
        if replaced or (changed and path.is_symlink()):  # what a link leads to stays as it is
            _rewrite(folder, path, changed)
        elif changed:
            _append(path, changed)
        index.lines.update({record.file_name: hash(record.line()) for record in changed})
        index.stamp = _stamp(path)
    return records


def _label(row: Mapping[str, Any], labels: dict[str, int]) -> Record:
    following = max(labels.values(), default=-1) + 1
    return Record(**row, label=labels.setdefault(row["class_name"], following))


def _is_new(record: Record, index: _Index) -> bool:
    return index.lines.get(record.file_name) != hash(record.line())


def _read_index(folder: Path, path: Path) -> _Index:
    """The index in memory, read again when another program has changed the file."""
    index = _indexes.setdefault(folder.resolve(), _Index())
    if index.stamp is None or index.stamp != _stamp(path):
        _cut_torn_line(path)
        index.labels, index.lines = {}, {}
        for record in read_records(folder):
            index.labels.setdefault(record.class_name, record.label)
            index.lines[record.file_name] = hash(record.line())
    return index


def _stamp(path: Path) -> tuple[int, int, int] | None:
    if not path.exists():
        return None
    state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _append(path: Path, records: Sequence[Record]) -> None:
    is_new = not path.exists()
    with path.open("ab") as file:
        file.write("".join(record.line() for record in records).encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def _rewrite(folder: Path, path: Path, changed: Sequence[Record]) -> None:
    """The file with the changed records at the end and their earlier lines gone."""
    names = {record.file_name for record in changed}
    unchanged = [record for record in read_records(folder) if record.file_name not in names]
    write_atomic(path, "".join(record.line() for record in [*unchanged, *changed]).encode())


def _cut_torn_line(path: Path) -> None:
    """Drop what follows the last newline: a line whose writer was killed before its end."""
    if not path.exists():
        return
    data = read_regular(path)
    if data and not data.endswith(b"\n"):
        write_atomic(path, data[: data.rfind(b"\n") + 1])
