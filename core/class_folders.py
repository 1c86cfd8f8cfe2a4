"""Class folders, and the parts for learning and testing that they are divided into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .classes import check_apart, normalise_class
from .errors import InputError
from .image_files import image_files, shown_names, visible_folders

Part = Literal["train", "val", "test"]
PARTS: Mapping[str, Part] = {
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


def find_parts(folder: Path) -> dict[Part, Path]:
    """The folders of parts in a folder; none where its folders are classes.

    Two at least are parts, such as train/ and test/, Train/ and Val/, images/train and images/val;
    or one, where what is in it are class folders again. Raises InputError where two folders are one
    part, and where class folders lie beside parts.
    """
    inner = visible_folders(folder)
    for name in ABOVE:
        place = folder / name
        others = {one.name.lower() for one in inner} - {name} - BESIDE
        if place in inner and not others and (found := find_parts(place)):
            return found
    named = [one for one in inner if one.name.lower() in PARTS]
    others = [one for one in inner if one not in named and one.name.lower() not in BESIDE]
    if not named or not _are_parts(named, others):
        return {}
    if others:
        raise InputError(
            f"{folder} has the parts {shown_names(named, folder)} and beside them "
            f"{shown_names(others, folder)}. Move what is no part out of it, or name one folder."
        )
    return _by_part(folder, named)


def _are_parts(named: Sequence[Path], others: Sequence[Path]) -> bool:
    """A class may be called "train": folders are parts where two are, or where one holds classes
    and nothing is beside it."""
    if len(named) > 1:
        return True
    return not others and bool(visible_folders(named[0])) and not image_files(named[0], deep=False)


def _by_part(folder: Path, named: Sequence[Path]) -> dict[Part, Path]:
    found: dict[Part, Path] = {}
    for one in named:
        part = PARTS[one.name.lower()]
        if part in found:
            raise InputError(
                f"{folder} has two folders of one part, {found[part].name} and {one.name}. Join "
                "them, or take one out."
            )
        found[part] = one
    return found


def refuse_parts(folder: Path) -> None:
    """Raises InputError for a folder of parts, where class folders are wanted."""
    parts = find_parts(folder)
    if parts:
        names = " and ".join(one.relative_to(folder).as_posix() for one in parts.values())
        raise InputError(
            f"{folder} holds the parts {names}, which are no classes. Name the one that is meant, "
            f"such as {next(iter(parts.values()))}."
        )


def class_folders(folder: Path) -> list[ClassFolder]:
    """The classes of <folder>/<class name>/<images>, by name.

    Raises InputError when there is none, for parts in place of classes, for a class without an
    image, and for two classes that look the same.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    refuse_parts(folder)
    inner = visible_folders(folder)
    if not inner:
        raise InputError(f"{folder} has no class folders: give <folder>/<class name>/<images>.")
    check_apart(one.name for one in inner)
    found = [ClassFolder(normalise_class(p.name), p, tuple(image_files(p))) for p in inner]
    empty = [one.folder for one in found if not one.images]
    if empty:
        raise InputError(
            f"The class folder {empty[0]} has no images. Add some or remove it."
            if len(empty) == 1
            else f"These class folders of {folder} have no images: {shown_names(empty, folder)}. "
            "Add some, or remove them."
        )
    return found
