"""What formats for detection hold of an image: its objects, each of a category."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...core.errors import InputError
from ...core.masks.labelled_png import named_classes, read_labelled
from ...core.masks.objects import objects_of
from ...core.masks.read import BACKGROUND
from .material import Material, Sample
from .options import Drawing, Shapes
from .outline import read_object


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
            f"{len(missing)} of {len(samples)} images have no mask, {missing[0].record.file_name} "
            f"for one, and {drawing.shapes.value} are drawn of masks. Save the images with masks, "
            "or take '--shapes image': the whole image is the box."
        )
    if not 0 <= drawing.tolerance < 1000:
        raise InputError(f"The tolerance is in pixels, from 0 on; it is {drawing.tolerance}.")


def category_names(material: Material, drawing: Drawing) -> tuple[str, ...]:
    """The categories: the classes that label masks name, background aside, then those of images
    whose masks are black and white. Where no mask is a label mask, the classes of the records.

    Raises InputError for a mask that cannot be read.
    """
    if drawing.shapes == Shapes.IMAGE:
        return material.names
    masks = [(sample, named_classes(sample.mask)) for sample in material.samples if sample.mask]
    if all(classes is None for _, classes in masks):
        return material.names
    named = (name for _, classes in masks for name in classes or () if name != BACKGROUND)
    plain = (sample.record.class_name for sample, classes in masks if classes is None)
    return tuple(dict.fromkeys([*named, *plain]))


def shown(sample: Sample, names: Sequence[str], drawing: Drawing) -> Iterator[Shown]:
    """The objects of an image: of a label mask one for each class that it shows, without what it
    ignores; else one of the image's own class. Raises InputError for a mask that cannot be used.
    """
    own = names.index(sample.record.class_name) if sample.record.class_name in names else 0
    if drawing.shapes == Shapes.IMAGE or sample.mask is None:
        width, height = sample.size
        yield Shown(own, np.ones((height, width), bool))
        return
    labelled = read_labelled(sample.mask)
    if labelled is None:
        yield Shown(own, read_object(sample.mask))
        return
    for one in objects_of(labelled):
        yield Shown(names.index(one.class_name), one.mask)
