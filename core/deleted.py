"""Images of a dataset folder that were deleted by hand: these are rejected."""

from collections.abc import Iterable
from pathlib import Path

from .counted import counted
from .paths import inside
from .records import Record


def without_deleted(folder: Path, records: Iterable[Record]) -> tuple[list[Record], int]:
    """The records of `folder` whose images are there, and how many of the others were deleted.

    A kept image whose class folder is gone as a whole is not rejected but lost: its record stays,
    and reading it fails. Raises InputError for a name that leads out of the folder.
    """
    every = list(records)
    there = [record for record in every if not _is_deleted(folder, record)]
    return there, len(every) - len(there)


def deleted_sentence(count: int, folder: Path) -> str:
    """What is told of `count` deleted images."""
    images = counted(
        count,
        "image was deleted: it counts as rejected, and is left out",
        "images were deleted: they count as rejected, and are left out",
    )
    return f"Of {folder} {images}."


def _is_deleted(folder: Path, record: Record) -> bool:
    path = inside(folder, record.file_name)
    return not path.is_file() and (path.parent.is_dir() or not record.kept)
