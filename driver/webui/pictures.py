"""Pictures that a WebUI is given."""

from io import BytesIO

from PIL import Image

from ...core.errors import InputError
from ...core.images import open_image


def blank() -> bytes:
    """A white PNG, in the place of one that is drawn only later."""
    file = BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, format="PNG")
    return file.getvalue()


def check_mask(data: bytes) -> None:
    """Raises InputError for a mask (an image file) that is black all over: with it a WebUI draws
    the whole picture anew, or nothing of it."""
    if open_image(data, "mask").convert("L").getbbox() is None:
        raise InputError(
            "An inpainting mask is entirely black, so nothing would be redrawn. Skip its "
            "photo ('pairs.skip_empty'), or paint what should change white."
        )
