"""A lock on a folder that child processes hold too: it is free only when all of them are gone."""

import os
import sys
from pathlib import Path

from ...core.errors import InputError
from .cache_folders import usable_folder


def try_lock(path: Path) -> int | None:
    """The file descriptor that holds the lock file `path`, or None when another process has it.

    The system lets go when every copy is closed, however their holders end. (The library filelock
    does not let children inherit its lock.) Raises InputError on Windows.
    """
    handle = os.open(usable_folder(path.parent) / path.name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(handle)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return handle


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock file `path`."""
    handle = try_lock(path)
    if handle is not None:
        os.close(handle)
    return handle is None


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        raise InputError(
            "The embedded server needs Linux, macOS or WSL. On Windows, start ComfyUI "
            "yourself and pass --server http://127.0.0.1:8188."
        )
    import fcntl  # not on Windows

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
