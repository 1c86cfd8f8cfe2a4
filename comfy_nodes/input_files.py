"""Files and folders below ComfyUI's input folder, by names that come from the canvas."""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from ..core.counted import did_you_mean, pluralize
from ..core.errors import InputError
from ..core.paths import relative_name


def input_folder() -> Path:
    """ComfyUI's input folder."""
    from folder_paths import get_input_directory

    return Path(get_input_directory())


def input_path(name: str, what: str) -> Path:
    """The path of a file or folder there; a link in the input folder is followed.

    `what` names it in messages ("folder"). Raises InputError for a name that leads out of the
    input folder, and for one that is not there.
    """
    root = input_folder()
    path = root.joinpath(*relative_name(name.rstrip("/"), what).parts)
    if not path.exists():
        beside = root if not path.parent.is_dir() else path.parent
        names = [path.relative_to(root).as_posix() for path in beside.iterdir()]
        near = did_you_mean(
            name, [neighbour for neighbour in names if not neighbour.startswith(".")]
        )
        raise InputError(f"ComfyUI's input folder has no {what} {name!r}.{near}")
    return path


def stamp(path: Path) -> str:
    """A text that is new when a file, or any file below a folder, is: ComfyUI's cache knows only
    its name. Raises InputError where one cannot be looked at."""
    try:
        rows = list(_below(path)) if path.is_dir() else [_row(str(path), path.stat())]
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}).") from None
    return sha256("\n".join(sorted(rows)).encode(errors="replace")).hexdigest()


def _below(folder: Path | str) -> Iterator[str]:
    """A row for each file below a folder; of thousands of files, pathlib would take too long."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            else:
                yield _row(entry.path, entry.stat(follow_symlinks=False))


def _row(name: str, stat: os.stat_result) -> str:
    return f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}"


Value = TypeVar("Value")


def each(name: str, values: Sequence[Value], count: int, what: str = "mask") -> Sequence[Value]:
    """One value for each of `count` masks, or of `what` else: as many as there are, or one for all.

    Raises InputError, naming the input, for any other number.
    """
    if len(values) not in (1, count):
        raise InputError(
            f"There {'is' if count == 1 else 'are'} {pluralize(count, what)} and "
            f"{pluralize(len(values), 'item')} in {name!r}; provide one for all, or one each."
        )
    return values if len(values) == count else [values[0]] * count
