"""Class folders, and the parts for learning and testing that they are divided into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .classes import check_apart, normalise_class
from .errors import InputError
from .image_files import image_files, list_names, visible_folders

Split = Literal["train", "val", "test"]
SPLIT_NAMES: Mapping[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
"""What folders of parts are called, in small letters: by torchvision, Ultralytics, Hugging Face."""
ABOVE = ("images", "data", "dataset")
"""Folders that parts may lie in: images/train as Ultralytics has it, data/train as Hugging Face."""
BESIDE = frozenset({"labels", "masks", "annotations"})
"""Folders that are no classes beside folders of parts."""


@dataclass(frozen=True)
class ClassFolder:
    """A class with its folder and its images, by name; `name` is in the form NFC."""

    name: str
    folder: Path
    images: tuple[Path, ...]


def find_splits(folder: Path) -> dict[Split, Path]:
    """The folders of parts in a folder; none where its folders are classes.

    Two at least are parts, such as train/ and test/, Train/ and Val/, images/train and images/val;
    or one, where what is in it are class folders again. Raises InputError where two folders are one
    part, and where class folders lie beside parts.
    """
    inner = visible_folders(folder)
    for name in ABOVE:
        place = folder / name
        unrelated = {path.name.lower() for path in inner} - {name} - BESIDE
        if place in inner and not unrelated and (nested := find_splits(place)):
            return nested
    part_folders = [path for path in inner if path.name.lower() in SPLIT_NAMES]
    unrelated = [
        path for path in inner if path not in part_folders and path.name.lower() not in BESIDE
    ]
    if not part_folders or not _are_splits(part_folders, unrelated):
        return {}
    if unrelated:
        raise InputError(
            f"{folder} contains the splits {list_names(part_folders, folder)} and also "
            f"{list_names(unrelated, folder)}. Move the folders that are not splits "
            "elsewhere, or name one of the folders."
        )
    return _group_by_split(folder, part_folders)


def _are_splits(part_folders: Sequence[Path], unrelated: Sequence[Path]) -> bool:
    """A class may be called "train": folders are parts where two are, or where one holds classes
    and nothing is beside it."""
    if len(part_folders) > 1:
        return True
    return (
        not unrelated
        and bool(visible_folders(part_folders[0]))
        and not image_files(part_folders[0], deep=False)
    )


def _group_by_split(folder: Path, part_folders: Sequence[Path]) -> dict[Split, Path]:
    folders: dict[Split, Path] = {}
    for path in part_folders:
        split = SPLIT_NAMES[path.name.lower()]
        if split in folders:
            raise InputError(
                f"{folder} has two folders for one split, {folders[split].name} and "
                f"{path.name}. Merge them, or remove one."
            )
        folders[split] = path
    return folders


def refuse_splits(folder: Path) -> None:
    """Raises InputError for a folder of parts, where class folders are wanted."""
    parts = find_splits(folder)
    if parts:
        names = " and ".join(path.relative_to(folder).as_posix() for path in parts.values())
        raise InputError(
            f"{folder} contains the splits {names}, not classes. Name the split you mean, "
            f"such as {next(iter(parts.values()))}."
        )


def find_class_folders(folder: Path) -> list[ClassFolder]:
    """The classes of <folder>/<class name>/<images>, by name.

    Raises InputError when there is none, for parts in place of classes, for a class without an
    image, and for two classes that look the same.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    refuse_splits(folder)
    inner = visible_folders(folder)
    if not inner:
        raise InputError(
            f"{folder} has no class folders: the layout is <folder>/<class name>/<images>."
        )
    check_apart(path.name for path in inner)
    classes = [ClassFolder(normalise_class(p.name), p, tuple(image_files(p))) for p in inner]
    empty = [item.folder for item in classes if not item.images]
    if empty:
        raise InputError(
            f"The class folder {empty[0]} has no images. Add some or remove it."
            if len(empty) == 1
            else f"These class folders of {folder} have no images: {list_names(empty, folder)}. "
            "Add some, or remove them."
        )
    return classes
