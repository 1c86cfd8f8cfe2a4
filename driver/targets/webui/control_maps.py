"""Whether ControlNet took part: it draws on without a unit that fails, and names it in the image's
text all the same. Only units that ran send their map, behind the images."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ....core.counted import pluralize
from ....core.images import SENT, open_image
from ...job import Failure
from .payload import Request

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
