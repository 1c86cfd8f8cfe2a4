"""Reading images as arrays, and what tells their contents apart."""

import io
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..core.errors import InputError
from ..core.files import write_atomic
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


def to_pixels(images: Tensor) -> Tensor:
    """Bytes 0..255 to floats -1..1, channels first; for one image, or for a batch."""
    return images.movedim(-1, -3).float().div(127.5).sub(1)


def to_bytes(pixels: Tensor) -> Tensor:
    """Floats -1..1, channels first, to bytes 0..255; truncated, as ComfyUI's SaveImage does."""
    return pixels.add(1).mul(127.5).clamp(0, 255).to(torch.uint8).movedim(1, -1)


def write_grid(path: Path, pixels: Tensor, columns: int) -> None:
    """Write pictures of one size as one PNG, row by row."""
    images = to_bytes(pixels)
    rows = [torch.cat(list(row), dim=1) for row in images.split(columns)]
    widest = rows[0].shape[1]
    padded = [torch.nn.functional.pad(row, (0, 0, 0, widest - row.shape[1])) for row in rows]
    stream = io.BytesIO()
    Image.fromarray(torch.cat(padded).numpy()).save(stream, "png")
    write_atomic(path, stream.getvalue())
