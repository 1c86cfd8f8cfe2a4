"""Labelled images in a folder: where each layout has its images, their classes and their masks.

dataset   metadata.jsonl with mask_file_name: a dataset folder of ours
pairs     images/<class>/<name>.jpg and masks/<class>/<name>.png, class folders or none
pets      oxford-iiit-pet/, as torchvision lays it out: the official trainval part
coco      a JSON file of annotations, beside its images or above images/
classes   <class>/<name>.jpg: no masks
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..class_folders import refuse_splits
from ..classes import check_apart, normalise_class
from ..errors import InputError
from ..file_kinds import Layout
from ..image_files import image_files, visible_folders
from ..paths import inside
from ..pets import FOLDER, read_split
from ..records import METADATA, Record, read_records
from .coco import CocoImage, read_coco
from .codes import MaskCode
from .partners import ALL, IMAGES, MASKS, mask_pairs
from .set_code import set_code


@dataclass(frozen=True)
class PairFile:
    """An image file with its class, and where its mask is; `name` is unique in its folder.

    `mask`: a file, read by `code`, or by the names in it where there is no code, or, when it is a
    trimap, as of `species`; or an entry of a COCO file with its classes in `coco_classes`.
    """

    image: Path
    name: str
    class_name: str
    mask: Path | CocoImage | None = None
    code: MaskCode | None = None
    species: str | None = None
    coco_classes: tuple[str, ...] = ()


def detect_layout(folder: Path) -> Layout:
    """The layout of a folder, or of a COCO file, by what lies in it."""
    if folder.is_file():
        return "coco"
    if (folder / METADATA).is_file():
        return "dataset"
    if (folder / FOLDER).is_dir():
        return "pets"
    if (folder / IMAGES).is_dir() and (folder / MASKS).is_dir():
        return "pairs"
    if list(folder.glob("*.json")):
        return "coco"
    return "classes"


def _read_dataset(folder: Path, palette: Path | None) -> list[PairFile]:
    records = [record for record in read_records(folder) if record.kept]
    masks = [_resolve(folder, record.mask_file_name) for record in records]
    code = set_code([mask for mask in masks if mask], folder, palette)
    pairs = zip(records, masks, strict=True)
    return [_make_pair(folder, record, mask, code) for record, mask in pairs]


def _resolve(folder: Path, name: str | None) -> Path | None:
    return inside(folder, name) if name else None


def _make_pair(folder: Path, record: Record, mask: Path | None, code: MaskCode | None) -> PairFile:
    image = inside(folder, record.file_name)
    return PairFile(image, record.file_name, record.class_name, mask, code)


def _read_pairs(folder: Path, palette: Path | None) -> list[PairFile]:
    refuse_splits(folder)
    files = mask_pairs(folder / IMAGES, folder / MASKS)
    code = set_code([mask for _, mask in files], folder, palette)
    return [
        PairFile(path, name.as_posix(), _class_folder(name), mask, code)
        for path, mask in files
        for name in [path.relative_to(folder / IMAGES)]
    ]


def _pets(folder: Path, palette: Path | None) -> list[PairFile]:
    root = folder / FOLDER
    return [
        PairFile(
            inside(root, "images", f"{entry.name}.jpg"),
            entry.name,
            entry.class_name,
            inside(root, "annotations", "trimaps", f"{entry.name}.png"),
            species=entry.species,
        )
        for entry in read_split(folder)
    ]


def _read_coco(folder: Path, palette: Path | None) -> list[PairFile]:
    files = [folder] if folder.is_file() else sorted(folder.glob("*.json"))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise InputError(f"{folder} needs one COCO file of annotations; found: {names}.")
    classes, listed = read_coco(files[0])
    place = files[0].parent / IMAGES
    root = place if place.is_dir() else files[0].parent
    return [
        PairFile(inside(root, image.file_name), image.file_name, ALL, image, coco_classes=classes)
        for image in listed
    ]


def _read_classes(folder: Path, palette: Path | None) -> list[PairFile]:
    refuse_splits(folder)
    check_apart(subfolder.name for subfolder in visible_folders(folder))
    return [
        PairFile(path, path.relative_to(folder).as_posix(), _class_folder(path.relative_to(folder)))
        for path in image_files(folder)
    ]


READERS: Mapping[Layout, Callable[[Path, Path | None], list[PairFile]]] = {
    "dataset": _read_dataset,
    "pairs": _read_pairs,
    "pets": _pets,
    "coco": _read_coco,
    "classes": _read_classes,
}


def _class_folder(name: Path) -> str:
    return normalise_class(name.parts[0]) if len(name.parts) > 1 else ALL
