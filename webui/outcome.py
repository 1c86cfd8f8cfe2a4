"""Whether what the WebUI gave for a job is what was asked for: much that goes wrong there is only
logged, and an image comes all the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ..core.counted import describe_shortfall
from ..driver.job import Failure

NETWORK_TROUBLE = ("Lora not found", "Networks not found", "Networks with errors")
CONTROL = "ControlNet 0"  # both extensions say so in the infotext when the unit took part


@dataclass(frozen=True)
class Expected:
    """`size`: width and height of each image, None where hires fix decides; `checkpoint`: its
    name as the WebUI reports it; `control`: whether a ControlNet unit takes part."""

    images: int
    size: tuple[int, int] | None
    checkpoint: str
    control: bool = False


def verify_images(processed: Any, expected: Expected) -> tuple[Image.Image, ...] | Failure:
    """The images of a Processed, or in a sentence why they are not the job's."""
    if processed is None:
        return Failure("incomplete", "The WebUI returned nothing for the job.")
    name = processed.sd_model_name
    if name != expected.checkpoint:
        return Failure(
            "invalid",
            f"The WebUI used the checkpoint {name!r} instead of {expected.checkpoint!r}. "
            "Select that one in the WebUI and run again.",
        )
    trouble = next((c for c in _comments(processed) if c.startswith(NETWORK_TROUBLE)), None)
    if trouble:
        return Failure("invalid", f"The WebUI drew without parts of the prompt: {trouble}.")
    params = processed.extra_generation_params or {}
    if expected.control and CONTROL not in params:
        return Failure(
            "invalid",
            "ControlNet was not applied; the WebUI's console says why. Check that its model "
            "is there and fits the checkpoint.",
        )
    return _verify_count(processed, expected)


def _verify_count(processed: Any, expected: Expected) -> tuple[Image.Image, ...] | Failure:
    """The images behind the grid, without the extra pictures that extensions put at the end."""
    first = processed.index_of_first_image
    count = min(len(processed.images), len(processed.infotexts)) - first
    if count != expected.images:
        return Failure("incomplete", describe_shortfall(count, expected.images))
    images = tuple(processed.images[first : first + count])
    return _verify_size(images, expected) or images


def _verify_size(images: Sequence[Image.Image], expected: Expected) -> Failure | None:
    size = expected.size or images[0].size
    other = next((image.size for image in images if image.size != size), None)
    if other is None:
        return None
    return Failure(
        "invalid",
        f"The image received has {other[0]}x{other[1]} pixels instead of "
        f"{size[0]}x{size[1]}. A WebUI extension changes the size; turn it off.",
    )


def _comments(processed: Any) -> list[str]:
    return str(processed.comments or "").splitlines()
