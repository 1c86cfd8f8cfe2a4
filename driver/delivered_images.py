"""What a server sent as pictures, checked before it counts."""

import io
import threading
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from ..core.errors import InputError, ManyshotError
from ..core.images import SENT, open_image_file
from ..core.masks.label_mask import LabelMask
from ..core.masks.labelled_png import decode_png, encode_png
from ..core.masks.objects import object_facts
from .job import Delivery, Failure

LAST_CHUNK = b"IEND\xaeB`\x82"
MOST_OF_A_JOB = 128 * 2**20  # bytes; more would be a server that fills the memory
MAX_PIXELS = 64_000_000  # of an image, 8000 x 8000; decoded it takes four bytes each
LARGE = 4_000_000  # pixels; of larger images one at a time is decoded
_large = threading.Lock()


def check_delivery(images: tuple[bytes, ...], masks: tuple[bytes, ...]) -> Delivery | Failure:
    """PNG files that decode from the first to the last byte, or what is wrong with one.

    A mask must have the size of its image. Other formats than PNG are stored again as PNG.
    """
    try:
        pictures = [_whole_png(data) for data in images]
        shapes = [_whole_png(data) for data in masks]
    except InputError as error:
        return Failure("incomplete", f"An image arrived damaged: {error}")
    for number, ((_, size), (_, mask_size)) in enumerate(zip(pictures, shapes, strict=False)):
        if size != mask_size:
            return Failure("incomplete", f"Mask {number} is {mask_size}, its image is {size}.")
    return Delivery(tuple(data for data, _ in pictures), tuple(data for data, _ in shapes))


def check_size(size: int) -> None:
    """Raises ManyshotError when a job's images are larger than any job's should be."""
    if size > MOST_OF_A_JOB:
        raise ManyshotError(
            f"The images of one job exceed {MOST_OF_A_JOB:,} bytes: make fewer or smaller "
            "images per job."
        )


def add_labels(delivery: Delivery, mask: LabelMask | None) -> Delivery | Failure:
    """A delivery with what its label masks show.

    Where the server sent no masks, `mask` is that of each image, which it must fit.
    """
    if delivery.masks or mask is None:
        return replace(delivery, objects=_objects(delivery.masks))
    sizes = {_size(data) for data in delivery.images}
    if len(sizes) > 1:
        shown = " and ".join(f"{width}x{height}" for width, height in sorted(sizes))
        return Failure(
            "invalid",
            f"The nodes under 'save' return images of {shown} pixels, but a mask fits only "
            "one of these sizes. Name nodes that return the same size.",
        )
    for width, height in sizes:
        if (height, width) != mask.size:
            return Failure(
                "invalid",
                f"The image received has {width}x{height} pixels and its mask "
                f"{mask.size[1]}x{mask.size[0]}. Set 'pairs.size' to [{width}, {height}].",
            )
    count = len(delivery.images)
    return replace(
        delivery, masks=(encode_png(mask),) * count, objects=(object_facts(mask),) * count
    )


def _size(data: bytes) -> tuple[int, int]:
    """Width and height."""
    with open_image_file(data, formats=SENT) as image:
        return image.size


def _objects(masks: tuple[bytes, ...]) -> tuple[list[dict[str, Any]], ...]:
    """Of each mask; nothing where one is no label mask, which a server may well send."""
    try:
        decoded = [decode_png(data) for data in masks]
    except InputError:
        return ()
    label_masks = [mask for mask in decoded if mask is not None]
    return tuple(map(object_facts, label_masks)) if len(label_masks) == len(decoded) else ()


def _whole_png(data: bytes) -> tuple[bytes, tuple[int, int]]:
    with open_image_file(data, formats=SENT) as image:
        width, height = image.size
    if width * height > MAX_PIXELS:
        raise InputError(f"its {width}x{height} pixels are more than {MAX_PIXELS:,}.")
    with _large if width * height > LARGE else nullcontext():
        return _decode_whole(data)


def _decode_whole(data: bytes) -> tuple[bytes, tuple[int, int]]:
    with open_image_file(data, formats=SENT) as image:
        image.verify()  # every checksum, to the last chunk; loading stops at the last pixel
    with open_image_file(data, formats=SENT) as image:
        image.load()
        if image.format == "PNG":
            if LAST_CHUNK not in data:  # verify() does not read the last checksum
                raise OSError("its last bytes are missing")
            return data, image.size
        again = io.BytesIO()
        image.save(again, "PNG", compress_level=1)
        return again.getvalue(), image.size
