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
from typing import Literal

from ..class_folders import refuse_parts
from ..classes import check_apart, normalise_class
from ..errors import InputError
from ..image_files import image_files, shown_names, visible_folders
from ..paths import inside
from ..pets import FOLDER, read_split
from ..records import METADATA, Record, read_records
from .coco import CocoImage, read_coco
from .codes import MaskCode, found_code, read_palette
from .labelled_png import named_classes
from .raw import read_raw

Layout = Literal["auto", "dataset", "pairs", "pets", "coco", "classes"]
LAYOUTS: tuple[Layout, ...] = ("auto", "dataset", "pairs", "pets", "coco", "classes")
IMAGES, MASKS, PALETTE = "images", "masks", "palette.yaml"
ALL = "all"  # the class of images in no class folder


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


def layout_of(folder: Path) -> Layout:
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


def _dataset(folder: Path, palette: Path | None) -> list[PairFile]:
    records = [record for record in read_records(folder) if record.kept]
    masks = [_named(folder, record.mask_file_name) for record in records]
    code = _code(folder, [mask for mask in masks if mask], palette)
    pairs = zip(records, masks, strict=True)
    return [_recorded(folder, record, mask, code) for record, mask in pairs]


def _named(folder: Path, name: str | None) -> Path | None:
    return inside(folder, name) if name else None


def _recorded(folder: Path, record: Record, mask: Path | None, code: MaskCode | None) -> PairFile:
    image = inside(folder, record.file_name)
    return PairFile(image, record.file_name, record.class_name, mask, code)


def _pairs(folder: Path, palette: Path | None) -> list[PairFile]:
    refuse_parts(folder)
    found = mask_pairs(folder / IMAGES, folder / MASKS)
    code = _code(folder, [mask for _, mask in found], palette)
    return [
        PairFile(path, name.as_posix(), _class_of(name), mask, code)
        for path, mask in found
        for name in [path.relative_to(folder / IMAGES)]
    ]


def mask_pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Each image below `images` with <masks>/<name>.png, by their names.

    Raises InputError for images without a mask, and for two of one name, which have one mask.
    """
    files = image_files(images)
    pairs = [(path, masks / path.relative_to(images).with_suffix(".png")) for path in files]
    without = [path for path, mask in pairs if not mask.is_file()]
    if without:
        first = next(mask for path, mask in pairs if path == without[0])
        raise InputError(
            f"The image {without[0]} has no mask: there is no file {first}."
            if len(without) == 1
            else f"These images of {images} have no mask in {masks}: "
            f"{shown_names(without, images)}. Such as {first} is missing."
        )
    taken: dict[Path, Path] = {}
    for path, mask in pairs:
        if taken.setdefault(mask, path) != path:
            raise InputError(f"{taken[mask]} and {path} have one mask, {mask}. Rename one of them.")
    return pairs


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
    refuse_parts(folder)
    check_apart(one.name for one in visible_folders(folder))
    return [
        PairFile(path, path.relative_to(folder).as_posix(), _class_of(path.relative_to(folder)))
        for path in image_files(folder)
    ]


READERS: Mapping[Layout, Callable[[Path, Path | None], list[PairFile]]] = {
    "dataset": _dataset,
    "pairs": _pairs,
    "pets": _pets,
    "coco": _coco,
    "classes": _classes,
}


def _class_of(name: Path) -> str:
    return normalise_class(name.parts[0]) if len(name.parts) > 1 else ALL


def _code(folder: Path, masks: list[Path], palette: Path | None) -> MaskCode | None:
    """What masks of a folder mean; None where they say it themselves, or where there are none."""
    beside = folder / PALETTE
    chosen = palette or (beside if beside.is_file() else None)
    if chosen is not None:
        return read_palette(chosen)
    if not masks or named_classes(masks[0]) is not None:
        return None
    return found_code(masks, read_raw)
