"""Classes and outlines of objects, as YOLO and Pascal VOC label them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...image_files import image_files
from ...masks.coco import CocoImage, CocoObject


def outlined(
    name: str, size: tuple[int, int], objects: Sequence[tuple[str, np.ndarray]]
) -> CocoImage:
    """An image of `size` (width, height) with objects: class and polygon (n, 2) in pixels."""
    width, height = size
    items = tuple(CocoObject(class_name, (polygon,)) for class_name, polygon in objects)
    return CocoImage(name, height, width, items)


def check_labels(images: Path, labels: Path, suffix: str) -> list[tuple[Path, Path]]:
    """Each image below `images` with the file of its labels, of its folder and name below `labels`.

    Raises InputError for an image without labels, for labels without an image, and for two images
    of one name.
    """
    by_label: dict[Path, Path] = {}
    for image in image_files(images):
        label = labels / image.relative_to(images).with_suffix(suffix)
        if label in by_label:
            raise InputError(
                f"{by_label[label]} and {image} share one label file, {label}. Rename one of them."
            )
        if not label.is_file():
            raise InputError(f"The image {image} has no labels: there is no file {label}.")
        by_label[label] = image
    for label in sorted(labels.rglob(f"*{suffix}")):
        if label not in by_label and not label.name.startswith(".") and label.stem != "classes":
            raise InputError(
                f"The labels {label} have no image in {images}. Add it, or remove them."
            )
    return [(image, label) for label, image in by_label.items()]
