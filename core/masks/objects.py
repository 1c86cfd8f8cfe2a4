"""The objects of a mask: their boxes, areas and parts."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .components import components
from .geometry import Box
from .label_mask import LabelMask


@dataclass(frozen=True, eq=False)
class MaskObject:
    """What a mask says of one class, or one connected part of it.

    `mask` (height, width), bool; `box`: left, top, right, bottom in pixels; `area` in pixels.
    """

    value: int
    class_name: str
    box: Box
    area: int
    mask: np.ndarray


def bounding_box(mask: np.ndarray) -> Box | None:
    """The box around a bool mask (height, width), right and bottom just outside; None without."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def find_objects(mask: LabelMask, parts: bool = False, least: int = 1) -> tuple[MaskObject, ...]:
    """One object for each class shown, background aside; or, with `parts`, for each connected part.

    Objects of fewer than `least` pixels are left out: specks. Ignored pixels belong to none, so
    boxes end where an open outline begins; `borders.without_border` first includes it.
    """
    items: list[MaskObject] = []
    for value in mask.objects():
        here = mask.labels == value
        for piece in _parts(here) if parts else (here,):
            box = bounding_box(piece)
            area = int(piece.sum())
            if box is not None and area >= least:
                items.append(MaskObject(value, mask.classes[value], box, area, piece))
    return tuple(items)


def object_facts(mask: LabelMask) -> list[dict[str, Any]]:
    """Class, box (left, top, right, bottom) and area of each class shown, as JSON takes them."""
    return [
        {"class": item.class_name, "box": list(item.box), "area": item.area}
        for item in find_objects(mask)
    ]


def _parts(mask: np.ndarray) -> tuple[np.ndarray, ...]:
    numbers, count = components(mask)
    return tuple(numbers == number for number in range(1, count + 1))
