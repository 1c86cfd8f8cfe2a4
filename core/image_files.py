"""Which files of a folder are its images. What programs leave behind in it is none of them."""

from collections.abc import Iterable
from pathlib import Path

from .errors import InputError

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
UNREAD = frozenset(
    {".avif", ".cr2", ".dng", ".eps", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".psd", ".svg"}
)
"""Images as well, of kinds that core/images.py does not read."""
LEFT_BEHIND = frozenset({"__macosx", "@eadir", "#recycle", "$recycle.bin", "lost+found"})
"""Folders that zip programs and disks put beside people's own, in small letters."""
SHOWN = 5  # names in a message


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the user's: .ipynb_checkpoints, ._1.jpg, __MACOSX."""
    return name.startswith(".") or name.lower() in LEFT_BEHIND


def visible_folders(folder: Path) -> list[Path]:
    """The folders in a folder by name, hidden ones left out."""
    return sorted(path for path in folder.iterdir() if not is_hidden(path.name) and path.is_dir())


def image_files(folder: Path, deep: bool = True) -> list[Path]:
    """The images in a folder, and (`deep`) in all folders below, by name; hidden ones left out.

    Raises InputError, naming them, for images of kinds that are not read.
    """
    files = [path for path in folder.rglob("*") if deep or path.parent == folder]
    files = [path for path in files if not any(map(is_hidden, path.relative_to(folder).parts))]
    unread = sorted(path for path in files if path.suffix.lower() in UNREAD and path.is_file())
    if unread:
        raise InputError(
            f"{folder} has images in unsupported formats: {list_names(unread, folder)}. Save "
            "them as JPEG or PNG, or remove them."
        )
    return sorted(path for path in files if path.suffix.lower() in SUFFIXES and path.is_file())


def list_names(paths: Iterable[Path], folder: Path) -> str:
    """The first few files by their names inside of `folder`, and how many more there are."""
    names = [path.relative_to(folder).as_posix() for path in paths]
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more:,} more" if more > 0 else "")
