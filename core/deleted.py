"""Images of a dataset folder that were deleted by hand: these are rejected."""

import os
from collections.abc import Iterable
from pathlib import Path

from .counted import pluralize
from .paths import inside
from .records import Record


def drop_deleted(folder: Path, records: Iterable[Record]) -> tuple[list[Record], int]:
    """The records of `folder` whose images are there, and how many of the others were deleted.

    A kept image whose class folder is gone as a whole is not rejected but lost: its record stays,
    and reading it fails; so does reading a folder or a pipe in an image's place. Raises InputError
    for a name that leads out of the folder.
    """
    all_records = list(records)
    existing = [record for record in all_records if not _is_deleted(folder, record)]
    return existing, len(all_records) - len(existing)


def describe_deleted(count: int, folder: Path) -> str:
    """What is told of `count` deleted images."""
    images = pluralize(
        count,
        "image was deleted: it counts as rejected and is left out",
        "images were deleted: they count as rejected and are left out",
    )
    return f"Of {folder} {images}."


def _is_deleted(folder: Path, record: Record) -> bool:
    path = inside(folder, record.file_name)
    return not os.path.lexists(path) and (path.parent.is_dir() or not record.kept)
