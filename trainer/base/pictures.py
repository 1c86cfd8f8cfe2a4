"""Between bytes (n, height, width, 3) and pixels (n, 3, height, width) from -1 to 1."""

import io
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ...core.files import write_atomic


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
