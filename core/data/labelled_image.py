"""A labelled image read: its pixels with the mask that belongs to it."""

from pathlib import Path

import numpy as np

from ..errors import InputError
from ..images import open_rgb
from ..masks.coco import CocoImage
from ..masks.label_mask import LabelMask, MaskCode, check_fits, check_mask
from ..masks.labelled_png import read_labelled, read_labels
from ..masks.read import read_trimap
from ..masks.scene import Scene
from .record import LabelledImage


def read_pair(pair: LabelledImage) -> Scene:
    """The image, upright RGB bytes, and its mask. Raises InputError, naming the file, for what
    cannot be read, sizes that do not fit each other, unknown values, and an empty mask."""
    image = read_upright(pair.image)
    return Scene(fitting_mask(pair, image.shape[:2]), image)


def fitting_mask(pair: LabelledImage, size: tuple[int, int]) -> LabelMask:
    """The mask of a pair whose image has the `size` (height, width).

    One of COCO is not even drawn at another size. Raises InputError as `read_pair` does.
    """
    if isinstance(pair.mask, CocoImage):
        check_fits(pair.mask, size, pair.image)
    mask = label_mask(pair)
    check_fits(mask, size, pair.image)
    return mask


def label_mask(pair: LabelledImage) -> LabelMask:
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
