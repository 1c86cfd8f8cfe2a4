"""Small pictures of what was learned from, so that results.json can show it by itself."""

import base64
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from ..base.data import evenly
from .images import read_rgb
from .results import Sample, SampleKind
from .sources import Example

SIDE = 96  # pixels: what a report shows on a phone
CLASSES = 8
EACH = 3  # real images, and as many synthetic ones, of a class


def pick_samples(
    classes: Sequence[str], real: Sequence[Example], synthetic: Sequence[Example]
) -> list[Sample]:
    """Thumbnails of up to 8 classes, 3 real and 3 synthetic of each.

    Classes and images are evenly taken in the order of their names, so that equal data gives equal
    samples and nobody has chosen the pretty ones. Raises InputError for an unreadable image.
    """
    chosen = evenly(sorted(classes), CLASSES)
    return [
        Sample(class_name=name, kind=kind, name=example.name, jpeg=thumbnail(example))
        for name in chosen
        for kind, examples in _kinds(real, synthetic)
        for example in evenly(_of_class(examples, name), EACH)
    ]


def _kinds(
    real: Sequence[Example], synthetic: Sequence[Example]
) -> tuple[tuple[SampleKind, Sequence[Example]], ...]:
    return ("real", real), ("synthetic", synthetic)


def _of_class(examples: Sequence[Example], name: str) -> list[Example]:
    found = (example for example in examples if example.class_name == name)
    return sorted(found, key=lambda example: example.name)


def thumbnail(example: Example) -> str:
    """The image's middle square, 96 x 96 pixels, as a JPEG in base64."""
    image = Image.fromarray(read_rgb(example.path, 2 * SIDE))
    left, top = ((length - min(image.size)) // 2 for length in image.size)
    square = image.crop((left, top, left + min(image.size), top + min(image.size)))
    file = BytesIO()
    square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(file, "JPEG", quality=80)
    return base64.b64encode(file.getvalue()).decode()
