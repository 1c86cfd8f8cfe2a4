"""A folder that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError, ManyshotError
from .files import make_folder, sync_file, sync_folder
from .sole_use import sole_use

SYNCED_AT_ONCE = 8


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to write into, which takes its name when the block ends well, once all
    of it has reached the disk.

    Raises InputError when `path` is there and is not an empty folder, or while
    another process makes it, ManyshotError when the disk fails.
    """
    path = path.resolve()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} already exists. Choose a new or empty folder as output.")
    lock = path.with_name(f".{path.name}.lock")
    with sole_use(path.parent, lock.name, path):
        try:
            yield from _fill(path)
        finally:
            lock.unlink(missing_ok=True)


def _fill(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.part")
    try:
        if temporary.exists():  # of a process that was killed: the lock is ours
            shutil.rmtree(temporary)
        make_folder(temporary)
        yield temporary
        _sync_all(temporary)
        _take_name(temporary, path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        cause = error.strerror or str(error)
        raise ManyshotError(f"Writing {path} failed: {cause}. Nothing was written.") from None
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _sync_all(folder: Path) -> None:
    """Wait until all that a folder holds has reached the disk; several files share the wait."""
    every = list(folder.rglob("*"))
    with ThreadPoolExecutor(SYNCED_AT_ONCE, "sync") as pool:
        list(pool.map(sync_file, (path for path in every if path.is_file())))
    for place in (folder, *(path for path in every if path.is_dir())):
        sync_folder(place)


def _take_name(temporary: Path, path: Path) -> None:
    if path.exists():
        path.rmdir()
    temporary.rename(path)
    try:
        sync_folder(path.parent)
    except OSError:
        path.rename(temporary)
        raise
