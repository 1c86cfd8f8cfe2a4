"""Small pictures of what was learned from, so that results.json can show it by itself."""

import base64
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ...core.images import open_image
from ...core.subsets import evenly
from ..images import read_rgb
from .measure_results import Sample, SampleKind
from .sources import Example

SIDE = 96  # pixels: what a report shows on a phone
CLASSES, EACH = 8, 3  # up to 8 classes, 3 real images and as many synthetic ones of each
MOST = 6  # of a class, where there are few classes
OUTLINE = (255, 214, 0, 255)


def pick_samples(
    classes: Sequence[str], real: Sequence[Example], synthetic: Sequence[Example]
) -> list[Sample]:
    """Thumbnails of up to 8 classes, at least 3 real and 3 synthetic of each.

    Classes and images are evenly taken in the order of their names, so that equal data gives equal
    samples and nobody has chosen the pretty ones. Raises InputError for an unreadable image.
    """
    chosen = evenly(sorted(classes), CLASSES)
    each = min(MOST, max(EACH, CLASSES * EACH // len(chosen)))
    return [
        _sample(example, kind)
        for name in chosen
        for kind, examples in _kinds(real, synthetic)
        for example in evenly(_of_class(examples, name), each)
    ]


def _kinds(
    real: Sequence[Example], synthetic: Sequence[Example]
) -> tuple[tuple[SampleKind, Sequence[Example]], ...]:
    return ("real", real), ("synthetic", synthetic)


def _of_class(examples: Sequence[Example], name: str) -> list[Example]:
    members = (example for example in examples if example.class_name == name)
    return sorted(members, key=lambda example: example.name)


def _sample(example: Example, kind: SampleKind) -> Sample:
    mask: Path | None = getattr(example, "mask", None)  # the pairs of segmentation have one
    return Sample(
        class_name=example.class_name,
        kind=kind,
        name=example.name,
        jpeg=thumbnail(example.path),
        mask=outline(mask) if mask else None,
    )


def thumbnail(path: Path) -> str:
    """The image's middle square, 96 x 96 pixels, as a JPEG in base64."""
    image = _middle(Image.fromarray(read_rgb(path, 2 * SIDE)))
    return _encode(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), "JPEG")


def outline(path: Path) -> str:
    """Where a mask's values change, in its middle square, as a PNG of 96 x 96 in base64."""
    mask = _middle(open_image(path, "mask")).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    values = np.asarray(mask).reshape(SIDE, SIDE, -1)
    edge = np.zeros((SIDE, SIDE), bool)
    edge[1:] |= (values[1:] != values[:-1]).any(axis=2)
    edge[:, 1:] |= (values[:, 1:] != values[:, :-1]).any(axis=2)
    pixels = np.where(edge[:, :, None], np.array(OUTLINE, np.uint8), np.uint8(0))
    return _encode(Image.fromarray(pixels), "PNG")


def _middle(image: Image.Image) -> Image.Image:
    left, top = ((length - min(image.size)) // 2 for length in image.size)
    return image.crop((left, top, left + min(image.size), top + min(image.size)))


def _encode(image: Image.Image, form: str) -> str:
    file = BytesIO()
    image.save(file, form, quality=80, optimize=True)
    return base64.b64encode(file.getvalue()).decode()
