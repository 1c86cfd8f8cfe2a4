"""What formats for detection hold of an image."""

from collections.abc import Sequence

import numpy as np

from ...core.errors import InputError
from .material import Sample
from .options import Drawing, Shapes
from .outline import read_object


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


def object_of(sample: Sample, drawing: Drawing) -> np.ndarray:
    """The object as booleans (height, width). Raises InputError for a mask that cannot be used."""
    if drawing.shapes == Shapes.IMAGE or sample.mask is None:
        width, height = sample.size
        return np.ones((height, width), bool)
    return read_object(sample.mask)
