"""A folder that one process at a time may work in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import InputError

LOCK = ".manyshot.lock"


@contextmanager
def sole_use(folder: Path, name: str = LOCK) -> Iterator[None]:
    """Hold the folder, made when missing, against other processes that ask for it by `name`.

    Raises InputError when another has it, or when the folder cannot be written.
    """
    lock = FileLock(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=1)
    except Timeout:
        raise InputError(
            f"Another manyshot is working in {folder}. Wait for it, or choose another output."
        ) from None
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be used: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()
