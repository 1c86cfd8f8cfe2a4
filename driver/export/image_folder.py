"""ImageFolder: images/<split>/<class_name>/<key>.png, with masks/ beside."""

import shutil
from pathlib import Path

from ...core.errors import InputError
from ...core.paths import inside
from .export_material import Material, Step


def write_image_folder(material: Material, folder: Path, step: Step) -> None:
    """Write the images by class. `torchvision.datasets.ImageFolder(images/train)` reads them.

    Labels are the places of the folders in the order of their names: both parts must have the same.
    Raises InputError for a class that validation lacks.
    """
    _check_same_classes(material)
    for done, sample in enumerate(material.samples, 1):
        place = sample.split, sample.record.class_name
        images = inside(folder, "images", *place)
        images.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.image, images / sample.image_file)
        if sample.mask is not None:
            masks = inside(folder, "masks", *place)
            masks.mkdir(parents=True, exist_ok=True)
            data = material.masks.data(sample.mask)
            (masks / f"{sample.key}{sample.mask.suffix.lower()}").write_bytes(data)
        step("copying", done, len(material.samples))
    material.masks.write_table(folder)


def _check_same_classes(material: Material) -> None:
    if material.unshared:
        raise InputError(
            f"Validation would have no images of {', '.join(map(repr, material.unshared))}. "
            "Readers of class folders number the classes of each split on their own, so the "
            "labels of val would differ from those of train. These classes have one image, "
            "or images from one source only. Generate more, omit '--val-share', or export "
            "to another format."
        )
