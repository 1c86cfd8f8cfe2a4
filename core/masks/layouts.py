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

import numpy as np

from ..class_folders import refuse_splits
from ..classes import check_apart, normalise_class
from ..errors import InputError
from ..file_kinds import Layout
from ..image_files import image_files, visible_folders
from ..images import open_rgb
from ..paths import inside
from ..pets import FOLDER, read_split
from ..records import METADATA, Record, read_records
from .coco import CocoImage, read_coco
from .label_mask import LabelMask, MaskCode, check_fits, check_mask
from .labelled_png import read_labelled, read_labels
from .partners import ALL, IMAGES, MASKS, mask_pairs
from .read import read_trimap
from .scene import Scene
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


def find_pairs(
    folder: Path, layout: Layout = "auto", palette: Path | None = None
) -> list[PairFile]:
    """The labelled images of a folder (or of a COCO file) in the order of their names.

    `palette`: what values and colours in masks mean; else palette.yaml in the folder, the names
    that masks hold themselves, or the values found in them. Raises InputError when there is
    nothing, for a layout that the folder does not have, and for an image without its mask.
    """
    if not folder.exists():
        raise InputError(f"There is no folder {folder}.")
    kind = detect_layout(folder) if layout == "auto" else layout
    files = READERS[kind](folder, palette)
    if not files:
        raise InputError(f"{folder} has no images in the layout {kind!r}.")
    return files


def read_pair(pair: PairFile) -> Scene:
    """The image, upright RGB bytes, and its mask. Raises InputError, naming the file, for what
    cannot be read, sizes that do not fit each other, unknown values, and an empty mask."""
    image = read_upright(pair.image)
    return Scene(fitting_mask(pair, image.shape[:2]), image)


def fitting_mask(pair: PairFile, size: tuple[int, int]) -> LabelMask:
    """The mask of a pair whose image has the `size` (height, width).

    One of COCO is not even drawn at another size. Raises InputError as `read_pair` does.
    """
    if isinstance(pair.mask, CocoImage):
        check_fits(pair.mask, size, pair.image)
    mask = label_mask(pair)
    check_fits(mask, size, pair.image)
    return mask


def label_mask(pair: PairFile) -> LabelMask:
    """The mask of a pair. Raises InputError as `read_pair` does, and where there is none."""
    if pair.mask is None:
        raise InputError(f"The image {pair.image} has no mask.")
    if isinstance(pair.mask, CocoImage):
        return pair.mask.label_mask(pair.coco_classes)
    if pair.species is not None:
        return read_trimap(pair.mask, pair.species)
    return check_mask(_read_labelled(pair.mask, pair.code), pair.mask)


def _read_labelled(path: Path, code: MaskCode | None) -> LabelMask:
    if code is not None:
        return LabelMask(read_labels(path, code), code.classes)
    mask = read_labelled(path)
    if mask is None:
        raise InputError(
            f"The mask {path} does not name its classes, as other masks in its folder do. "
            "Add a palette file to the folder, 'palette.yaml', that says what all values "
            "mean."
        )
    return mask


def read_upright(path: Path) -> np.ndarray:
    """RGB bytes (height, width, 3) of an image, turned as its EXIF says. Raises InputError."""
    return np.asarray(open_rgb(path))
