"""Class folders: <class>/<name>.jpg."""

from pathlib import Path

from ...class_folders import refuse_splits
from ...classes import check_apart, normalise_class
from ...image_files import image_files, visible_folders
from ...masks.partners import ALL
from ..record import LabelledImage


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The images by name; those beside the class folders are of the class ALL."""
    refuse_splits(folder)
    check_apart(subfolder.name for subfolder in visible_folders(folder))
    return [
        LabelledImage(path, relative.as_posix(), folder_class(relative))
        for path in image_files(folder)
        for relative in [path.relative_to(folder)]
    ]


def folder_class(relative: Path) -> str:
    """The class of an image by the first folder that it lies in, ALL where it lies in none."""
    return normalise_class(relative.parts[0]) if len(relative.parts) > 1 else ALL
