"""Reading images: RGB bytes, or a sentence that names the file."""

import warnings
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..core.errors import InputError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def read_rgb(path: Path, short_side: int) -> np.ndarray:
    """RGB bytes (height, width, 3), upright, the shorter side at most `short_side` pixels.

    Raises InputError for a file that is no image, is cut off, or is too large to be one.
    """
    try:
        with warnings.catch_warnings(), Image.open(path) as file:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file.draft("RGB", (2 * short_side, 2 * short_side))  # lets JPEGs decode smaller
            image = _rgb(ImageOps.exif_transpose(file))
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"The image {path} cannot be read ({reason}). Repair it or take it out."
        ) from None
    return shrunk(image, short_side)


def shrunk(image: Image.Image, short_side: int) -> np.ndarray:
    """The bytes of an image, the shorter side at most `short_side` pixels."""
    factor = short_side / min(image.size)
    if factor >= 1:
        return np.asarray(image)
    width, height = (max(short_side, round(side * factor)) for side in image.size)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image, upright. Raises InputError for a file that is no image."""
    try:
        with Image.open(path) as file:
            return ImageOps.exif_transpose(file).size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"The image {path} cannot be read ({error}).") from None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip it to white
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def content_digest(path: Path) -> str:
    """sha256 of the file. Raises InputError when it cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"The image {path} cannot be read: {error.strerror}.") from None


def pixel_digest(image: np.ndarray) -> str:
    """sha256 of an image's bytes (height, width, 3), for one that lies in no file."""
    return sha256(str(image.shape).encode() + image.tobytes()).hexdigest()


def image_files(folder: Path) -> list[Path]:
    """The image files below a folder in the order of their names; hidden ones are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if not path.name.startswith(".") and path.is_file())
