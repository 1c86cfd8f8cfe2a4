"""The pictures that a request sends, and those of ControlNet that come back with its images."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from ....core.counted import pluralize
from ....core.errors import InputError
from ....core.images import SENT, open_image, open_image_file
from ....core.webui_facts import check_side
from ...job import Failure
from .payload import Request

Size = tuple[int, int]
"""Width and height in pixels."""


def with_size(settings: Mapping[str, Any], picture: bytes | None) -> Mapping[str, Any]:
    """Settings whose `width` and `height`, where nothing says them, are the picture's."""
    if picture is None or None not in (settings["width"], settings["height"]):
        return settings
    picture_size = dict(zip(("width", "height"), _size(picture), strict=True))
    return {**settings, **{name: settings[name] or side for name, side in picture_size.items()}}


def output_size(settings: Mapping[str, Any], picture: bytes | None) -> Size:
    """Of settings whose values are known; `picture` is the one that img2img begins with.

    Raises InputError where the WebUI would round it, or make it no larger as asked.
    """
    size = (settings["width"], settings["height"])
    for name, side in zip(("width", "height"), size, strict=True):
        check_side(f"'webui.{name}' is {side}, which", side)
    if picture is not None:
        # Masked parts are pasted back into the whole picture.
        return _size(picture) if settings["mask"] and settings["only_masked"] else size
    hires = settings["hires"]
    if not hires:
        return size
    larger = (size[0] * hires["scale"], size[1] * hires["scale"])
    for side in larger:
        check_side(f"'webui.hires.scale' makes a side {side:g} pixels long, which", side)
    return (round(larger[0]), round(larger[1]))


def _size(picture: bytes) -> Size:
    with open_image_file(picture, "picture") as file:
        return file.size


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


LEAST = 32  # pixels of a side that maps are compared at
ALIKE = 32  # mean difference of 255; maps of different pictures differ by more


def check_maps(request: Request, maps: Sequence[bytes]) -> Failure | None:
    """Why the `maps` (image files) are not those of the request's units; None if they are.

    A pass of hires fix may add one of each. A map that was left from an earlier request shows
    another picture. Raises InputError for damaged files.
    """
    count = len(request.units)
    passes = (1, 2) if request.payload.get("enable_hr") else (1,)
    if len(maps) not in [count * times for times in passes]:
        return Failure(
            "invalid",
            "ControlNet was not applied as requested: "
            f"{pluralize(count, 'unit was', 'units were')} sent, but "
            f"{pluralize(len(maps), 'map')} returned. The WebUI's console says why; check "
            "that the model is there and fits the checkpoint.",
        )
    of_each = maps[:: len(maps) // count]  # those of one unit stand together
    if any(
        sent and _differ(sent, received)
        for sent, received in zip(request.units, of_each, strict=True)
    ):
        return Failure("incomplete", "ControlNet used a different picture than the one sent.")
    return None


def _differ(sent: bytes, received: bytes) -> bool:
    return float(np.abs(_small(sent) - _small(received)).mean()) > ALIKE


def _small(data: bytes) -> np.ndarray:
    """LEAST x LEAST grey values."""
    grey = open_image(data, formats=SENT).convert("L")
    return np.asarray(grey.resize((LEAST, LEAST), Image.Resampling.BOX), dtype=np.float32)
