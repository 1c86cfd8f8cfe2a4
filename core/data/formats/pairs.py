"""Pairs: images/<class>/<name>.jpg and masks/<class>/<name>.png, class folders or none."""

from pathlib import Path

from ...class_folders import refuse_splits
from ...masks.partners import IMAGES, MASKS, mask_pairs
from ...masks.set_code import set_code
from ..record import LabelledImage
from .classes import folder_class


def matches(folder: Path) -> bool:
    """Whether it has images/ and masks/."""
    return (folder / IMAGES).is_dir() and (folder / MASKS).is_dir()


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """Each image with its mask. Raises InputError for one without, and for splits."""
    refuse_splits(folder)
    files = mask_pairs(folder / IMAGES, folder / MASKS)
    code = set_code([mask for _, mask in files], folder, palette)
    return [
        LabelledImage(path, relative.as_posix(), folder_class(relative), mask, code)
        for path, mask in files
        for relative in [path.relative_to(folder / IMAGES)]
    ]
