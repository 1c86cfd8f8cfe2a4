"""A folder that appears whole or not at all."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError, ManyshotError
from .sole_use import sole_use


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to write into, which takes its name when the block ends well.

    Raises InputError when `path` is there and is not an empty folder, or while
    another process makes it, ManyshotError when the disk fails.
    """
    path = path.resolve()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is there already. Choose a new or an empty folder as output.")
    lock = path.with_name(f".{path.name}.lock")
    with sole_use(path.parent, lock.name, path):
        try:
            yield from _filled(path)
        finally:
            lock.unlink(missing_ok=True)


def _filled(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rmdir()
        temporary.rename(path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        cause = error.strerror or str(error)
        raise ManyshotError(f"Writing {path} failed: {cause}. Nothing was written.") from None
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
