"""What formats for detection hold of an image: its objects, each of a category."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.classes import check_class_names
from ...core.counted import pluralize
from ...core.errors import InputError
from ...core.masks.components import components
from ...core.masks.conventions import PALETTE
from ...core.masks.label_mask import BACKGROUND, LabelMask
from ...core.masks.objects import find_objects
from .export_masks import Masks
from .export_material import Material, Sample
from .options import Drawing, Shapes

MOST_INSTANCES = 1000  # of an image: more are specks, and take long to draw


@dataclass(frozen=True, eq=False)
class Shown:
    """One object of an image: the place of its category among the names, and its pixels, booleans
    (height, width)."""

    category: int
    pixels: np.ndarray


def check_masks(samples: Sequence[Sample], drawing: Drawing) -> None:
    """Raises InputError when shapes are to be drawn of masks that are not there."""
    missing = [sample for sample in samples if sample.mask is None]
    if missing and drawing.shapes != Shapes.IMAGE:
        raise InputError(
            f"{len(missing)} of {pluralize(len(samples), 'image has', 'images have')} no "
            f"mask (such as {missing[0].record.file_name}), and {drawing.shapes.value} are "
            "made from masks. Save the images with masks, or use '--shapes image' to store "
            "the whole image as the box."
        )
    if not 0 <= drawing.tolerance < 1000:
        raise InputError(f"The tolerance is in pixels, 0 or more; it is {drawing.tolerance}.")


def category_names(material: Material, drawing: Drawing) -> tuple[str, ...]:
    """The categories: the classes that label masks name, background aside, then those of images
    whose masks are black and white. Where no mask is a label mask, the classes of the records.

    Raises InputError for a mask that cannot be read.
    """
    if drawing.shapes == Shapes.IMAGE:
        return material.names
    masks = material.masks
    plain = [sample for sample in material.samples if sample.mask in masks.plain]
    if plain and not masks.black_and_white:
        _check_named(masks)
        return _apart([*masks.classes, *masks.code.classes])
    if not masks.named:
        return material.names
    return _apart([*masks.classes, *(sample.record.class_name for sample in plain)])


def _apart(names: Sequence[str]) -> tuple[str, ...]:
    """Each once, background aside. Raises InputError for two that look the same."""
    unique = tuple(name for name in dict.fromkeys(names) if name != BACKGROUND)
    check_class_names(unique)
    return unique


def _check_named(masks: Masks) -> None:
    if not (masks.folder / PALETTE).is_file():
        raise InputError(
            f"The masks in {masks.folder}, such as {masks.plain[0]}, hold indices "
            f"({masks.code.text()}) without names. Name them in '{PALETTE}' there."
        )


def collect_objects(
    sample: Sample, material: Material, names: Sequence[str], drawing: Drawing
) -> Iterator[Shown]:
    """The objects of an image: of a label mask one for each class that it shows, without what it
    ignores; else one of the image's own class. With `drawing.instances`, each connected part of
    those. Raises InputError for a mask that cannot be used.
    """
    category = names.index(sample.record.class_name) if sample.record.class_name in names else 0
    if drawing.shapes == Shapes.IMAGE or sample.mask is None:
        width, height = sample.size
        yield Shown(category, np.ones((height, width), bool))
        return
    masks = material.masks
    plain = sample.mask not in masks.named and masks.black_and_white
    mask = masks.label_mask(sample.mask)
    if drawing.instances:
        _check_instances(sample.mask, mask)
    for item in find_objects(mask, drawing.instances):
        yield Shown(category if plain else names.index(item.class_name), item.mask)


def _check_instances(path: Path, mask: LabelMask) -> None:
    """Raises InputError for a mask in more than MOST_INSTANCES pieces: each would be an object."""
    count = sum(components(mask.labels == value)[1] for value in mask.objects())
    if count > MOST_INSTANCES:
        raise InputError(
            f"The mask {path} is in {count:,} pieces, too many to be objects: {MOST_INSTANCES:,} "
            "at most. Omit '--instances', or leave the image out."
        )
