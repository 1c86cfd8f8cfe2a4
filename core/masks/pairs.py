"""Labelled images in a folder, whatever its layout: each with its class and, where there is one,
its mask.

dataset   metadata.jsonl with mask_file_name: a dataset folder of ours
pairs     images/<class>/<name>.jpg and masks/<class>/<name>.png, class folders or none
pets      oxford-iiit-pet/, as torchvision lays it out: the official trainval part
coco      a JSON file of annotations, beside its images or above images/
classes   <class>/<name>.jpg: no masks
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps
from pydantic import ValidationError

from ..errors import InputError
from ..paths import inside
from ..pets import FOLDER, read_split
from ..records import METADATA, read_records
from .coco import CocoImage, read_coco
from .codes import MaskCode, found_code, read_palette
from .labelled_png import named_classes, read_labelled
from .raw import read_raw
from .read import LabelMask, check_fits, read_mask, read_trimap
from .scene import Scene

Layout = Literal["auto", "dataset", "pairs", "pets", "coco", "classes"]
LAYOUTS: tuple[Layout, ...] = ("auto", "dataset", "pairs", "pets", "coco", "classes")
IMAGES, MASKS, PALETTE = "images", "masks", "palette.yaml"
ALL = "all"  # the class of images in no class folder
SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class PairFile:
    """An image file with its class, and where its mask is; `name` is unique in its folder.

    `mask`: a file, read by `code` or, when it is a trimap, as of `species`; or an entry of a COCO
    file with the classes that count, in `coco_classes`.
    """

    image: Path
    name: str
    class_name: str
    mask: Path | CocoImage | None = None
    code: MaskCode | None = None
    species: str | None = None
    coco_classes: tuple[str, ...] = ()


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
    kind = _layout_of(folder) if layout == "auto" else layout
    found = _READERS[kind](folder, palette)
    if not found:
        raise InputError(f"{folder} holds no image in the layout {kind!r}.")
    return found


def read_pair(pair: PairFile) -> Scene:
    """The image, upright RGB bytes, and its mask. Raises InputError, naming the file, for what
    cannot be read, sizes that do not fit each other, unknown values, and an empty mask."""
    image, mask = read_upright(pair.image), label_mask(pair)
    check_fits(mask, image.shape[:2], pair.image)
    return Scene(mask, image)


def label_mask(pair: PairFile) -> LabelMask:
    """The mask of a pair. Raises InputError as `read_pair` does, and where there is none."""
    if pair.mask is None:
        raise InputError(f"The image {pair.image} has no mask.")
    if isinstance(pair.mask, CocoImage):
        return pair.mask.label_mask(pair.coco_classes)
    if pair.species is not None:
        return read_trimap(pair.mask, pair.species)
    own = read_labelled(pair.mask)
    return read_mask(pair.mask, pair.code) if own is None else own


def read_upright(path: Path) -> np.ndarray:
    """RGB bytes (height, width, 3) of an image, turned as its EXIF says. Raises InputError."""
    try:
        with Image.open(path) as file:
            return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"The image {path} cannot be read ({error}).") from None


def _layout_of(folder: Path) -> Layout:
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


def _dataset(folder: Path, palette: Path | None) -> list[PairFile]:
    try:
        records = [record for record in read_records(folder) if record.kept]
    except (ValidationError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder / METADATA} cannot be read: {reason}.") from None
    files = [
        (record, record.mask_file_name and inside(folder, record.mask_file_name))
        for record in records
    ]
    code = _code(folder, [path for _, path in files if path], palette)
    return [
        PairFile(
            inside(folder, record.file_name),
            record.file_name,
            record.class_name,
            path or None,
            code,
        )
        for record, path in files
    ]


def _pairs(folder: Path, palette: Path | None) -> list[PairFile]:
    images = folder / IMAGES
    found = [(path, path.relative_to(images)) for path in image_files(images)]
    masks = [folder / MASKS / name.with_suffix(".png") for _, name in found]
    for (path, _), mask in zip(found, masks, strict=True):
        if not mask.is_file():
            raise InputError(f"The image {path} has no mask: there is no file {mask}.")
    code = _code(folder, masks, palette)
    return [
        PairFile(path, name.as_posix(), _class_of(name), mask, code)
        for (path, name), mask in zip(found, masks, strict=True)
    ]


def _pets(folder: Path, palette: Path | None) -> list[PairFile]:
    root = folder / FOLDER
    return [
        PairFile(
            root / "images" / f"{entry.name}.jpg",
            entry.name,
            entry.class_name,
            root / "annotations" / "trimaps" / f"{entry.name}.png",
            species=entry.species,
        )
        for entry in read_split(folder)
    ]


def _coco(folder: Path, palette: Path | None) -> list[PairFile]:
    files = [folder] if folder.is_file() else sorted(folder.glob("*.json"))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise InputError(f"{folder} needs one COCO file of annotations; found: {names}.")
    classes, listed = read_coco(files[0])
    place = files[0].parent / IMAGES
    root = place if place.is_dir() else files[0].parent
    return [
        PairFile(inside(root, one.file_name), one.file_name, ALL, one, coco_classes=classes)
        for one in listed
    ]


def _classes(folder: Path, palette: Path | None) -> list[PairFile]:
    return [
        PairFile(path, path.relative_to(folder).as_posix(), _class_of(path.relative_to(folder)))
        for path in image_files(folder)
    ]


_READERS: dict[str, Callable[[Path, Path | None], list[PairFile]]] = {
    "dataset": _dataset,
    "pairs": _pairs,
    "pets": _pets,
    "coco": _coco,
    "classes": _classes,
}


def _class_of(name: Path) -> str:
    return name.parts[0] if len(name.parts) > 1 else ALL


def _code(folder: Path, masks: list[Path], palette: Path | None) -> MaskCode | None:
    """What masks of a folder mean; None where they say it themselves, or where there are none."""
    beside = folder / PALETTE
    chosen = palette or (beside if beside.is_file() else None)
    if chosen is not None:
        return read_palette(chosen)
    if not masks or named_classes(masks[0]) is not None:
        return None
    return found_code(masks, read_raw)


def image_files(folder: Path) -> list[Path]:
    """The image files below a folder in the order of their names; hidden ones are left out."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if not path.name.startswith(".") and path.is_file())
