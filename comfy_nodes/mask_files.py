"""MASK tensors as files of a dataset folder: label masks that name their classes, or plain ones."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.masks.labelled_png import encode_png
from ..core.masks.objects import object_facts
from .label_masks import label_masks
from .pictures import pixels, png

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class MaskFile:
    """A PNG file with its pixels (height, width); `objects`: class, box and area of what it shows,
    empty for a plain mask, which does not say what it shows."""

    data: bytes
    pixels: np.ndarray
    objects: list[dict[str, Any]]


def mask_files(mask: "Tensor", mask_classes: str | None) -> list[MaskFile]:
    """A file for each mask of a batch. Raises InputError as `label_masks.label_masks` does."""

    if not mask_classes:
        return [MaskFile(png(values, {}), values, []) for values in pixels(mask)]
    return [
        MaskFile(encode_png(label_mask), label_mask.labels, object_facts(label_mask))
        for label_mask in label_masks(mask, mask_classes)
    ]
