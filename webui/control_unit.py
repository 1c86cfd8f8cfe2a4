"""A job's mask: as the image of a ControlNet unit, and as the mask file beside its images.

The unit is a dict, as the WebUI's API hands one to sd-webui-controlnet and to Forge's own: both
make their own object of it, so that nothing of theirs is imported.
"""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..core.images import open_image
from .script_settings import Settings

NO_MODULE = {"forge": "None", "controlnet": "none"}  # what each calls no preprocessor
PLAIN = ("L", "P", "RGB")  # modes whose pixels are labels or colours


def read_mask(path: Path, size: tuple[int, int]) -> Image.Image:
    """The mask at `size` (width, height); no new values appear, only its own.

    Raises InputError for a file that is no picture.
    """
    mask = open_image(path, "mask")
    plain = mask if mask.mode in PLAIN else mask.convert("RGB")
    return plain.resize(size, Image.Resampling.NEAREST)


def png(picture: Image.Image, texts: dict[str, str] | None = None) -> bytes:
    """A PNG file with text chunks."""
    info = PngInfo()
    for key, value in (texts or {}).items():
        info.add_text(key, value)
    file = BytesIO()
    picture.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def unit(mask: Image.Image, settings: Settings, forge: bool) -> dict[str, Any]:
    """The values of a ControlNet unit; every name and text is one that both extensions know."""
    return {
        "enabled": True,
        "module": settings.control_module or NO_MODULE["forge" if forge else "controlnet"],
        "model": settings.control_model,
        "weight": settings.control_weight,
        "image": base64.b64encode(png(mask.convert("RGB"))).decode(),
        "resize_mode": "Just Resize",
        "control_mode": "Balanced",
        "pixel_perfect": False,
        "save_detected_map": False,
    }
