"""Label masks from a dataset's own files: index, palette, colour and alpha PNGs, trimaps."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import palettes
from ..errors import InputError
from ..images import open_image
from .conventions import IN_TABLE, infer_code
from .label_mask import BACKGROUND, IGNORE, LabelMask, MaskCode, check_mask
from .raw import read_indices

# Trimaps, their control images in colours, and masks that are black or white. Where the annotators
# left the outline open, nothing is learned and nothing is counted.
PETS = MaskCode(
    ("background", "pet"),
    {palettes.BACKGROUND: 0, palettes.PET: 1, palettes.BORDER: IGNORE, 0: 0, 255: 1},
    {
        palettes.COLOURS["background"]: 0,
        palettes.COLOURS["cat"]: 1,
        palettes.COLOURS["dog"]: 1,
        palettes.COLOURS["border"]: IGNORE,
    },
)


def trimap_code(class_name: str) -> MaskCode:
    """Trimaps of one class of pets, their control images, and masks that are black or white."""
    return replace(PETS, classes=("background", class_name))


def read_mask(path: Path, code: MaskCode | None = None) -> LabelMask:
    """The mask in a file of one channel (8 or 16 bits), with a colour table, or in colours.

    Of a colour table the indices count, unless `code` knows colours alone. Without `code` the
    file's own values decide, as conventions.py says; for a dataset, take the code of all its files
    by `set_code.set_code`. Raises InputError, naming the file: unreadable, a value or colour that
    `code` lacks (with the nearest), nothing but background.
    """
    code = infer_code([path], IN_TABLE) if code is None else code
    return check_mask(LabelMask(read_indices(path, code), code.classes), path)


def read_trimap(path: Path, class_name: str) -> LabelMask:
    """An Oxford-IIIT Pet trimap: background, `class_name`, and the border ignored."""
    return read_mask(path, trimap_code(class_name))


def read_alpha(path: Path, class_name: str = "object", least: float = 0.5) -> LabelMask:
    """`class_name` where an image is at least so opaque (0 to 1), background elsewhere.

    Raises InputError for an image without an alpha channel, and for one that is clear all over.
    """
    image = open_image(path)
    if not image.has_transparency_data:
        raise InputError(f"The image {path} has no alpha channel to take its mask from.")
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    return check_mask(
        LabelMask((alpha >= 255 * least).astype(np.uint8), (BACKGROUND, class_name)), path
    )
