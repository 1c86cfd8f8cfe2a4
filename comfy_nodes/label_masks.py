"""MASK tensors as label masks and back: a value is the class's index / 255, 1.0 says nothing.

Beside such a tensor goes the text `mask_classes`: the names of the classes, one per line, by index.
Without it a MASK is plain: 0.5 and more is the object.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.counted import pluralize
from ..core.errors import InputError
from ..core.masks.label_mask import BACKGROUND, IGNORE, MOST_CLASSES, LabelMask
from ..core.masks.labelled_png import encode_png
from ..core.masks.objects import object_facts
from .pictures import pixels, png

if TYPE_CHECKING:
    from torch import Tensor

PLAIN = (BACKGROUND, "object")  # the classes of a mask that goes without names
STRAY = 0.02  # of one index: what is further off was mixed from its neighbours


def mask_tensor(masks: Sequence[LabelMask]) -> "Tensor":
    """Label masks of one size as a MASK [B, H, W]."""
    import torch

    labels = np.stack([np.where(m.labels == m.ignored, IGNORE, m.labels) for m in masks])
    return torch.from_numpy(labels.astype(np.float32) / 255)


def plain_tensor(masks: Sequence[LabelMask]) -> "Tensor":
    """Masks of one size as a plain MASK [B, H, W]: 1.0 on all but background."""
    import torch

    return torch.from_numpy(np.stack([m.labels != m.background for m in masks]).astype(np.float32))


def label_masks(mask: "Tensor", mask_classes: str | None) -> list[LabelMask]:
    """The masks of a MASK [H, W] or [B, H, W].

    Raises InputError for values that are no index of `mask_classes`, and as `read_names` does.
    """
    values = mask.reshape(-1, *mask.shape[-2:]).float().clamp(0, 1).cpu().numpy()
    if not (mask_classes or "").strip():
        return [LabelMask((mask_values >= 0.5).astype(np.uint8), PLAIN) for mask_values in values]
    classes = read_names(str(mask_classes))
    return [LabelMask(_labels(mask_values, classes), classes) for mask_values in values]


def names_text(classes: Sequence[str]) -> str:
    """The text `mask_classes` of the classes."""
    return "\n".join(" ".join(name.split()) for name in classes)


def read_names(mask_classes: str) -> tuple[str, ...]:
    """The classes of the text `mask_classes`. Raises InputError for one named twice, for too many,
    and for an empty line between others: it would shift the indices."""
    names = tuple(line.strip() for line in mask_classes.strip().splitlines())
    for place, name in enumerate(names):
        if not name:
            raise InputError(
                f"Line {place + 1} of mask_classes is empty: write one class per line."
            )
        if name in names[:place]:
            raise InputError(
                f"mask_classes names {name!r} twice. Each class needs exactly one line."
            )
    if len(names) > MOST_CLASSES:
        raise InputError(f"mask_classes lists {len(names)} classes; the limit is {MOST_CLASSES}.")
    return names


def _labels(values: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    scaled = values * 255.0
    labels = scaled.round().astype(np.uint8)
    if (np.abs(scaled - labels) > STRAY).any():
        raise InputError(
            "The label mask has values between two classes: it was blurred, or resized with "
            "interpolation. Resize it with 'nearest-exact', or use Vary Mask."
        )
    beyond = labels[(labels != IGNORE) & (labels >= len(classes))]
    if beyond.size:
        raise InputError(
            f"The mask has the index {beyond[0]}, but mask_classes lists "
            f"{pluralize(len(classes), 'class', 'classes')} ({', '.join(classes[:8])}). "
            "Connect mask and mask_classes from the same node."
        )
    return labels


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
