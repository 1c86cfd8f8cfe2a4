"""Images and masks of a measurement as bytes in memory, all of one size."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from ....core.errors import InputError
from ....core.masks.codes import IGNORE, MaskCode
from ....core.masks.labelled_png import read_labels
from ...images import read_rgb
from ..learner import Step
from .pairs import Pair

FULL = 2**30  # a shorter side that nothing has: read as it is


def read_store(
    pairs: Sequence[Pair], code: MaskCode, side: int, step: Step
) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (n, side, side, 3) and indices (n, side, side).

    Both are stretched to a square, masks without interpolation; those that name their classes go by
    these names. Raises InputError, naming the
    file, for a mask of another size than its image, with an unknown value or without labels.
    """
    images = np.empty((len(pairs), side, side, 3), np.uint8)
    masks = np.empty((len(pairs), side, side), np.uint8)
    with ThreadPoolExecutor() as pool:
        for place, found in enumerate(pool.map(lambda pair: _read(pair, code, side), pairs)):
            images[place], masks[place] = found
            step("reading pairs", place + 1, len(pairs))
    return images, masks


def _read(pair: Pair, code: MaskCode, side: int) -> tuple[np.ndarray, np.ndarray]:
    image, mask = read_rgb(pair.path, FULL), read_labels(pair.mask, pair.code or code)
    return stretched(image, mask, side, pair.mask)


def stretched(
    image: np.ndarray, mask: np.ndarray, side: int, name: Path
) -> tuple[np.ndarray, np.ndarray]:
    """An image and its mask as squares, the mask without interpolation.

    Raises InputError, naming the file, when they do not fit, and when no label is left.
    """
    if image.shape[:2] != mask.shape:
        (height, width), (tall, wide) = image.shape[:2], mask.shape
        raise InputError(
            f"The mask {name} has {wide}x{tall} pixels and its image {width}x{height}. A "
            "mask must match its image."
        )
    small = _sized(mask, side, Image.Resampling.NEAREST)
    if (small == IGNORE).all():
        raise InputError(
            f"The mask {name} has no labelled pixel at {side} pixels: what it labels is too "
            "small. Take the pair out, or ask for a larger 'size'."
        )
    return _sized(image, side, Image.Resampling.BICUBIC), small


def _sized(pixels: np.ndarray, side: int, how: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side), how))


def check_classes(masks: np.ndarray, code: MaskCode, folder: Path) -> None:
    """Raises InputError when a class has no pixel in the test split's masks (n, side, side)."""
    there = np.bincount(masks.ravel(), minlength=IGNORE + 1)
    for index, name in enumerate(code.classes):
        if not there[index]:
            raise InputError(
                f"No mask of the test split of {folder} shows {name!r}. Leave the class out of the "
                "palette file, or test on pairs that have it."
            )
