"""ComfyUI's tensors as PNG files."""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

COMPRESSION = 1  # of PNG's 1 to 9: files 10 % larger than by default, written several times faster


def image_pngs(images: "Tensor", texts: Mapping[str, str]) -> list[bytes]:
    """One PNG for each image of a batch [B, H, W, 1|3|4] in 0..1; `texts` become PNG text."""
    return [_png(pixels, texts) for pixels in _bytes(images)]


def mask_pngs(masks: "Tensor", images: "Tensor") -> list[bytes]:
    """One 8-bit grey PNG for each image of the batch, from masks [B, H, W] or [H, W] in 0..1.

    A single mask serves all images. Raises InputError if number or size do not fit the images.
    """
    masks = masks.reshape(-1, *masks.shape[-2:])
    count, height, width = images.shape[:3]
    if masks.shape[1:] != images.shape[1:3]:
        raise InputError(
            f"The mask is {masks.shape[2]}x{masks.shape[1]} pixels and the image {width}x{height}. "
            "A label must fit its image; scale one of them first."
        )
    if len(masks) not in (1, count):
        raise InputError(
            f"There are {count} images and {len(masks)} masks; give one mask, or one each."
        )
    encoded = [_png(pixels, {}) for pixels in _bytes(masks)]
    return encoded * count if len(encoded) == 1 else encoded


def _bytes(values: "Tensor") -> list:
    """0..1 as 0..255, rounded: a mask that was loaded from 8 bits keeps its values exactly."""
    return list((values.clamp(0, 1) * 255).round().byte().cpu().numpy())


def _png(pixels, texts: Mapping[str, str]) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", pnginfo=info, compress_level=COMPRESSION)
    return file.getvalue()
