"""Masks with the images and control images that belong to them: from tensors, and back."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import InputError
from ..core.masks.label_mask import LabelMask
from ..core.masks.objects import object_facts
from ..core.masks.scene import Scene
from .label_masks import label_masks, mask_tensor, plain_tensor
from .pictures import image_tensor, pixels

if TYPE_CHECKING:
    from torch import Tensor


def make_scenes(
    mask: "Tensor",
    mask_classes: str | None,
    image: "Tensor | None" = None,
    control: "Tensor | None" = None,
) -> list[Scene]:
    """A scene for each mask of a batch; one of a kind goes with all of the others.

    Raises InputError for numbers or sizes that do not fit, and as `label_masks` does.
    """
    masks = label_masks(mask, mask_classes)
    images, controls = _colours(image), _colours(control)
    count = max(len(masks), len(images), len(controls))
    for name, batch in (("masks", masks), ("images", images), ("control images", controls)):
        if len(batch) not in (0, 1, count):
            raise InputError(
                f"The largest batch has {count}, but there are {len(batch)} {name}; provide "
                "one for all, or one each."
            )
    return [
        Scene(_one(masks, i), _one(images or [None], i), _one(controls or [None], i))
        for i in range(count)
    ]


def mask_output(masks: Sequence[LabelMask], named: bool) -> "Tensor":
    """The MASK [B, H, W] of the same kind as the node was given: with names, or plain."""
    return mask_tensor(masks) if named else plain_tensor(masks)


def picture_output(pictures: Sequence[np.ndarray | None], missing: str) -> Any:
    """An IMAGE; where there is none, the sentence `missing` for the node that would use it."""
    from comfy_execution.graph_utils import ExecutionBlocker

    there = [picture for picture in pictures if picture is not None]
    return image_tensor(there) if there else ExecutionBlocker(missing)


def objects_text(masks: Sequence[LabelMask]) -> str:
    """A line of JSON for each mask: class, box and area of all that it shows."""
    return "\n".join(json.dumps(object_facts(mask)) for mask in masks)


def _colours(images: "Tensor | None") -> list[np.ndarray]:
    """Bytes (height, width, 3) of each image of a batch, without alpha."""
    arrays = [] if images is None else pixels(images)
    return [
        np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3] for image in arrays
    ]


def _one(values: Sequence[Any], place: int) -> Any:
    return values[place if len(values) > 1 else 0]
