"""ComfyUI's tensors as 8-bit pixels and PNG files."""

import hashlib
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core.counted import pluralize
from ..core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

COMPRESSION = 1  # of PNG's 1 to 9: files 10 % larger than by default, written several times faster


def pixels(values: "Tensor") -> list[np.ndarray]:
    """Each image or mask of a batch in 0..1 as 0..255; a last axis of one channel is dropped.

    Rounded, so that a mask that was loaded from 8 bits keeps its values exactly.
    """
    batch = (values.clamp(0, 1) * 255).round().byte().cpu().numpy()
    return [image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image for image in batch]


def image_tensor(images: Sequence[np.ndarray]) -> "Tensor":
    """Bytes (height, width, 3) of one size as an IMAGE [B, H, W, 3] in 0..1."""
    import torch

    return torch.from_numpy(np.stack(images).astype(np.float32) / 255)


def mask_batch(mask: "Tensor", images: "Tensor") -> "Tensor":
    """A mask [H, W] or masks [B, H, W] as one mask for each of the images [B, H, W, C].

    Raises InputError if number or size do not fit the images.
    """
    masks = mask.reshape(-1, *mask.shape[-2:])
    count, height, width = images.shape[:3]
    if masks.shape[1:] != (height, width):
        raise InputError(
            f"The mask is {masks.shape[2]}x{masks.shape[1]} pixels and the image "
            f"{width}x{height}. A mask must match its image; scale one of them first."
        )
    if len(masks) not in (1, count):
        raise InputError(
            f"There {'is' if count == 1 else 'are'} {pluralize(count, 'image')} and "
            f"{pluralize(len(masks), 'mask')}; provide one mask, or one each."
        )
    return masks.expand(count, -1, -1)


def png(image: np.ndarray, texts: Mapping[str, str]) -> bytes:
    """A PNG file with `texts` in its header."""
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    file = BytesIO()
    Image.fromarray(image).save(file, format="PNG", pnginfo=info, compress_level=COMPRESSION)
    return file.getvalue()


def digest(images: Sequence[np.ndarray], facts: str) -> str:
    """16 hexadecimal digits that follow from the pixels and the facts."""
    hasher = hashlib.sha256(facts.encode())
    for image in images:
        hasher.update(str(image.shape).encode())
        hasher.update(image.tobytes())
    return hasher.hexdigest()[:16]
