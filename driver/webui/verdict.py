"""Whether a WebUI did what it was asked. It says nothing where it did something else, so every
fact of its reply is held against the request."""

from base64 import b64decode
from typing import Any

import numpy as np

from ...core.errors import InputError
from ...core.images import SENT, open_image, open_image_file
from ...core.json_text import parse_json
from ..job import Failure
from .facts import CHECKS, first_image
from .maps import check_maps
from .request import Request

Kind = tuple[str, tuple[int, int]]
"""Format, width and height of an image file."""


FLAT = Failure(
    "invalid",
    "The image is a single colour: the checkpoint or its VAE fails on that WebUI. Start it "
    "with --no-half-vae, or choose another VAE ('webui.vae'; for manyshot-tiny the "
    "'webui.options' that `manyshot webui add-tiny-model` names).",
)


def read_info(reply: Any) -> dict[str, Any] | None:
    """What the reply says of its images; None when it is no reply of a WebUI."""
    try:
        info = parse_json(reply["info"])
    except (TypeError, LookupError, ValueError):
        return None
    return info if isinstance(info, dict) else None


def verify_reply(request: Request, reply: Any) -> tuple[bytes, ...] | Failure:
    """The image files that were asked for, or the first thing that is wrong with them."""
    info = read_info(reply)
    if info is None or not isinstance(reply.get("images"), list):
        return Failure("incomplete", "The reply is not from a WebUI: it has no images or info.")
    wrong = next(filter(None, (check(request, reply, info) for check in CHECKS)), None)
    if wrong:
        return wrong
    first = first_image(info)
    last = first + request.images
    try:
        images, maps = _decode(reply["images"][first:last]), _decode(reply["images"][last:])
        kinds = [_kind(data) for data in images]
        flat = any(_is_flat(data) for data in images)
        unsteered = check_maps(request, maps) if request.units else None
    except (ValueError, InputError) as error:  # of base64, which says it in two ways
        return Failure("incomplete", f"An image arrived damaged: {error}")
    return unsteered or _check_format(request, kinds) or (FLAT if flat else images)


def _is_flat(data: bytes) -> bool:
    """Whether an image has one colour alone, as numbers that are none, or a wrong VAE, make it."""
    extrema = open_image(data, formats=SENT).getextrema()
    return all(least == most for least, most in np.reshape(extrema, (-1, 2)))


def _decode(images: list[Any]) -> tuple[bytes, ...]:
    return tuple(b64decode(str(image).rpartition(",")[2], validate=True) for image in images)


def _check_format(request: Request, kinds: list[Kind]) -> Failure | None:
    """Size and format of the images. The API writes WebP with losses, too."""
    expected = ("PNG", request.size)
    form, size = next((kind for kind in kinds if kind != expected), expected)
    if size != request.size:
        return Failure(
            "invalid",
            f"The image received has {size[0]}x{size[1]} pixels instead of "
            f"{request.size[0]}x{request.size[1]}.",
        )
    if form != "PNG":
        return Failure(
            "invalid",
            f"The image arrived as {form}, which is lossy: someone has changed the WebUI's "
            "setting 'File format for images'; set it to png.",
        )
    return None


def _kind(data: bytes) -> Kind:
    with open_image_file(data, formats=SENT) as file:
        return str(file.format), file.size
