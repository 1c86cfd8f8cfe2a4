"""A folder that one process at a time may work in."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import InputError
from .files import make_folder, remove_partial

LOCK = ".manyshot.lock"
TRIAL_BYTES = 65_536


@contextmanager
def sole_use(
    folder: Path, name: str = LOCK, output: Path | None = None, below: Iterable[str] = ()
) -> Iterator[None]:
    """Hold the folder, made when missing, against other processes that ask for it by `name`.

    By the folder's own lock: what killed processes left half written there, and in the folders
    `below`, is removed. `output`: what the message calls it, where that is not the folder itself.
    Raises InputError when another has it, or when the folder cannot be written: a few bytes are
    tried.
    """
    shown = output or folder
    lock_path = folder / name
    lock = FileLock(lock_path)
    try:
        make_folder(folder)
        lock.acquire(timeout=1)
    except Timeout:
        raise InputError(
            f"Another manyshot is using {shown}. Wait for it to finish, or choose another output."
        ) from None
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be used: {_reason(error)}.") from None
    try:
        if name == LOCK:
            remove_partial(folder, below)
        _try_to_write(lock_path.with_name(f"{name}.part"))
        yield
    finally:
        lock.release()


def _try_to_write(trial: Path) -> None:
    """Before hours of work: a full disk lets empty files be made, such as the lock.

    The file has one name, so that the next to hold the lock removes what a killed process left.
    """
    try:
        with trial.open("wb") as file:
            file.write(b"\0" * TRIAL_BYTES)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"The folder {trial.parent} cannot be written: {_reason(error)}. Free up space, "
            "or choose another output."
        ) from None
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
