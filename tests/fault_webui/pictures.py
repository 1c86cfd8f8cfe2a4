"""Pictures that follow from what was asked, so that the same request gives the same bytes."""

import base64
import io
from hashlib import sha256

from PIL import Image
from PIL.PngImagePlugin import PngInfo

TILES = 4


def picture(key: str, size: tuple[int, int]) -> Image.Image:
    """Coloured tiles that no other key gives."""
    digest = sha256(key.encode()).digest() + sha256(key.encode()[::-1]).digest()
    tiles = Image.frombytes("RGB", (TILES, TILES), digest[: 3 * TILES * TILES])
    return tiles.resize(size, Image.Resampling.NEAREST)


def grid(images: list[Image.Image]) -> Image.Image:
    """All of them beside each other."""
    width, height = images[0].size
    sheet = Image.new("RGB", (width * len(images), height))
    for place, image in enumerate(images):
        sheet.paste(image, (place * width, 0))
    return sheet


def encoded(image: Image.Image, text: str | None, kind: str = "png") -> str:
    """Base64 of the file, with its infotext where PNG can hold it."""
    buffer = io.BytesIO()
    if kind == "png":
        info = PngInfo()
        if text is not None:
            info.add_text("parameters", text)
        image.save(buffer, "PNG", pnginfo=info)
    else:
        image.convert("RGB").save(buffer, kind.upper().replace("JPG", "JPEG"), quality=80)
    return base64.b64encode(buffer.getvalue()).decode()


def decoded(text: str) -> Image.Image:
    """The image in a base64 string, with or without "data:image/…,". Raises ValueError or OSError
    when there is none."""
    if text.startswith("data:image/"):
        text = text.split(";")[1].split(",")[1]
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    image.load()
    return image
