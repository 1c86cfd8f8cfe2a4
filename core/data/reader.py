"""The one reader of labelled folders. What each layout is: docs/data_formats.md."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from ..class_folders import Split
from ..classes import check_apart
from ..counted import did_you_mean, pluralize
from ..errors import InputError
from ..file_kinds import Layout
from .formats import classes, coco, csv_table, dataset_folder, pairs, pets, voc, yolo
from .record import LabelledImage

log = logging.getLogger(__name__)
READERS: Mapping[Layout, Callable[[Path, Path | None], list[LabelledImage]]] = {
    "dataset": dataset_folder.read,
    "pairs": pairs.read,
    "pets": pets.read,
    "coco": coco.read,
    "yolo": yolo.read,
    "voc": voc.read,
    "csv": csv_table.read,
    "classes": classes.read,
}
CERTAIN: Mapping[Layout, Callable[[Path], bool]] = {
    "dataset": dataset_folder.matches,
    "pets": pets.matches,
}
"""Layouts that nothing else in the folder makes doubtful."""
MATCHES: Mapping[Layout, Callable[[Path], bool]] = {
    "pairs": pairs.matches,
    "yolo": yolo.matches,
    "voc": voc.matches,
    "csv": csv_table.matches,
    "coco": coco.matches,
}
FILES: Mapping[str, Layout] = {".json": "coco", ".csv": "csv"}
ANNOTATED: frozenset[Layout] = frozenset({"coco", "yolo", "voc", "csv"})
"""Layouts whose labels lie in files of their own: their folders are no classes."""


def is_annotated(path: Path) -> bool:
    """Whether a folder has one of the layouts ANNOTATED, or a file may be a COCO file or a table.

    Raises InputError as `detect_layout` does.
    """
    if path.is_dir():
        return detect_layout(path) in ANNOTATED
    return path.is_file() and path.suffix.lower() in FILES


def detect_layout(folder: Path) -> Layout:
    """The layout of a folder, or of a file of annotations, by what lies in it.

    Raises InputError where it may be one of several.
    """
    if folder.is_file():
        return _file_layout(folder)
    for layout, matches in CERTAIN.items():
        if matches(folder):
            return layout
    layouts: list[Layout] = [layout for layout, matches in MATCHES.items() if matches(folder)]
    if len(layouts) > 1:
        raise InputError(
            f"{folder} can be read in several layouts: {', '.join(layouts)}. Choose one with "
            "'layout' where there is such an option, or move the files of the others elsewhere."
        )
    return layouts[0] if layouts else "classes"


def read_folder(
    folder: Path, layout: Layout = "auto", palette: Path | None = None
) -> list[LabelledImage]:
    """The labelled images of a folder, or of a COCO file or CSV table.

    Where the layout itself has splits, those of train; a warning says what is left out. `palette`:
    what values and colours in masks mean; else palette.yaml in the folder, the names that masks
    hold themselves, or the values found in them. Raises InputError when there is nothing, for a
    layout that the folder does not have, and for an image without its mask.
    """
    images = read_splits(folder, layout, palette)
    train = [image for image in images if image.split in (None, "train")]
    if not train:
        raise InputError(f"{folder} has no images in the split train.")
    if len(train) < len(images):
        count = len(images) - len(train)
        many = pluralize(count, "image of another split is", "images of other splits are")
        log.warning("%s: %s left out; train is read", folder, many)
    return train


def read_splits(
    folder: Path, layout: Layout = "auto", palette: Path | None = None
) -> list[LabelledImage]:
    """As `read_folder`, with the images of all splits."""
    if not folder.exists():
        near = did_you_mean(folder.name, _neighbours(folder))
        raise InputError(f"There is no folder {folder}.{near if 'mean' in near else ''}")
    kind = detect_layout(folder) if layout == "auto" else layout
    images = READERS[kind](folder, palette)
    if not images:
        raise InputError(f"{folder} has no images in the layout {kind!r}.")
    check_apart({name for image in images for name in image.annotated or (image.class_name,)})
    return images


def group_by_split(images: list[LabelledImage]) -> dict[Split, list[LabelledImage]]:
    """The images of each split. Raises InputError where some are in a split and others in none."""
    groups: dict[Split, list[LabelledImage]] = {}
    for image in images:
        if image.split is not None:
            groups.setdefault(image.split, []).append(image)
    without = next((image for image in images if image.split is None), None)
    if groups and without is not None:
        raise InputError(
            f"The image {without.image} is in no split, but others are. Name its split."
        )
    return groups


def _file_layout(file: Path) -> Layout:
    layout = FILES.get(file.suffix.lower())
    if layout is None:
        raise InputError(f"{file} is not a label file: a COCO file ends in .json, a table in .csv.")
    return layout


def _neighbours(folder: Path) -> list[str]:
    return [path.name for path in folder.parent.iterdir()] if folder.parent.is_dir() else []
