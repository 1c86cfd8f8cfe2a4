"""What a server sent as pictures, checked before it counts."""

import io

from PIL import Image, UnidentifiedImageError

from .job import Delivery, Failure


def checked(images: tuple[bytes, ...], masks: tuple[bytes, ...]) -> Delivery | Failure:
    """PNG files that decode from the first to the last byte, or what is wrong with one.

    A mask must have the size of its image. Other formats than PNG are stored again as PNG.
    """
    try:
        pictures = [_whole_png(data) for data in images]
        shapes = [_whole_png(data) for data in masks]
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        return Failure("incomplete", f"An image arrived damaged: {error}.")
    except Image.DecompressionBombError as error:
        return Failure("incomplete", f"An image is too large: {error}.")
    for number, ((_, size), (_, mask_size)) in enumerate(zip(pictures, shapes, strict=False)):
        if size != mask_size:
            return Failure("incomplete", f"Mask {number} is {mask_size}, its image is {size}.")
    return Delivery(tuple(data for data, _ in pictures), tuple(data for data, _ in shapes))


def _whole_png(data: bytes) -> tuple[bytes, tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # every checksum, to the last chunk; loading stops at the last pixel
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if image.format == "PNG":
            return data, image.size
        again = io.BytesIO()
        image.save(again, "PNG", compress_level=1)
        return again.getvalue(), image.size
