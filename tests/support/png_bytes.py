"""Images as bytes of PNG."""

import io

from PIL import Image


def png(colour: int = 0, size=(8, 8), mode: str = "RGB", form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, form)
    return file.getvalue()
