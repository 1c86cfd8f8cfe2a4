"""What the command line says of an error that ends a command."""

import sqlite3
from typing import NamedTuple

from ..core.errors import ManyshotError
from ..core.extras import missing_module

WRONG_PATH = (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
NO_MEMORY = (
    "Not enough memory. Close other programs, or reduce image size, batch size or 'workers', "
    "and run the same command again."
)


class Failure(NamedTuple):
    """A sentence for the user, and the exit code."""

    sentence: str
    exit_code: int


def failure_of(error: Exception) -> Failure | None:
    """What to say of an error; None for one that is a fault of manyshot itself."""
    match error:
        case ManyshotError():
            return Failure(str(error), error.exit_code)
        case ModuleNotFoundError() if _module(error) != "manyshot":
            return Failure(str(missing_module(_module(error))), 2)
        case OSError(strerror=str()):
            return Failure(_of_disk(error), 2 if isinstance(error, WRONG_PATH) else 1)
        case sqlite3.Error():
            return Failure(
                f"A ledger cannot be read or written: {error}. What was written is safe; run the "
                "same command again.",
                1,
            )
    return Failure(NO_MEMORY, 1) if is_out_of_memory(error) else None


def _module(error: ModuleNotFoundError) -> str:
    """The package that is missing; manyshot's own is a mistake of ours."""
    return (error.name or "manyshot").partition(".")[0]


def is_out_of_memory(error: Exception) -> bool:
    """Whether it says that memory ran out, as Python, NumPy, and torch on each device say it."""
    message = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError)
        and any(words in message for words in ("out of memory", "can't allocate memory"))
    )


def _of_disk(error: OSError) -> str:
    if isinstance(error, WRONG_PATH):
        return f"{error.filename or 'A file'}: {error.strerror}."
    what = error.filename or "a file"
    return (
        f"Reading or writing {what} failed: {error.strerror}. What was written before is safe; "
        "fix the cause and run the same command again."
    )
