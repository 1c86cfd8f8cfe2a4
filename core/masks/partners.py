"""Which mask file belongs to which image: the one of the same name, whatever their suffixes."""

import logging
from collections.abc import Iterable
from pathlib import Path

from ..counted import pluralize
from ..errors import InputError
from ..image_files import image_files, list_names

IMAGES, MASKS = "images", "masks"  # folders of pairs
ALL = "all"  # the class of images in no class folder

log = logging.getLogger(__name__)


def mask_pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Each image below `images` with the mask below `masks` of its folder and name, by their names.

    Masks without an image are named in a warning. Raises InputError for images without a mask, for
    one with several, and for two of one name, which have one mask.
    """
    files = image_files(images)
    masks_by_name = _by_name(masks, image_files(masks))
    _check_missing(images, masks, [f for f in files if _name(images, f) not in masks_by_name])
    paired: dict[Path, Path] = {}
    for file in files:
        several = masks_by_name[_name(images, file)]
        if len(several) > 1:
            raise InputError(
                f"{several[0]} and {several[1]} are two masks with the same name. Remove "
                "one of them."
            )
        if paired.setdefault(several[0], file) != file:
            raise InputError(
                f"{paired[several[0]]} and {file} share one mask, {several[0]}. Rename one of them."
            )
    unpaired = sorted(
        path for paths in masks_by_name.values() for path in paths if path not in paired
    )
    if unpaired and files:
        many = pluralize(len(unpaired), "mask has no image and is", "masks have no image and are")
        log.warning("%s left out, such as %s", many, unpaired[0])
    return [(image, mask) for mask, image in paired.items()]


def _check_missing(images: Path, masks: Path, without: list[Path]) -> None:
    if not without:
        return
    first = masks / without[0].relative_to(images).with_suffix(".png")
    raise InputError(
        f"The image {without[0]} has no mask: there is no file {first}."
        if len(without) == 1
        else f"These images of {images} have no mask in {masks}: "
        f"{list_names(without, images)}. For example, {first} is missing."
    )


def _by_name(root: Path, files: Iterable[Path]) -> dict[Path, list[Path]]:
    by_name: dict[Path, list[Path]] = {}
    for path in files:
        by_name.setdefault(_name(root, path), []).append(path)
    return by_name


def _name(root: Path, path: Path) -> Path:
    return path.relative_to(root).with_suffix("")
