"""Reading images as arrays, and what tells their contents apart."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.errors import InputError
from ..core.images import open_rgb


def read_rgb(path: Path, short_side: int) -> np.ndarray:
    """RGB bytes (height, width, 3), upright, the shorter side at most `short_side` pixels.

    Raises InputError as `open_rgb` does.
    """
    return shrunk(open_rgb(path, short_side=2 * short_side), short_side)


def shrunk(image: Image.Image, short_side: int) -> np.ndarray:
    """The bytes of an image, the shorter side at most `short_side` pixels."""
    factor = short_side / min(image.size)
    if factor >= 1:
        return np.asarray(image)
    width, height = (max(short_side, round(side * factor)) for side in image.size)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def content_digest(path: Path) -> str:
    """sha256 of the file. Raises InputError when it cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"The image {path} cannot be read: {error.strerror}.") from None


def pixel_digest(image: np.ndarray) -> str:
    """sha256 of an image's bytes (height, width, 3), for one that lies in no file."""
    return sha256(str(image.shape).encode() + image.tobytes()).hexdigest()
