"""ImageFolder: images/<split>/<class_name>/<key>.png, with masks/ beside."""

import shutil
from pathlib import Path

from ...core.paths import inside
from .material import Material, Step


def write_image_folder(material: Material, folder: Path, step: Step) -> None:
    """Write the images by class. `torchvision.datasets.ImageFolder(images/train)` reads them."""
    for done, sample in enumerate(material.samples, 1):
        place = sample.split, sample.record.class_name
        images = inside(folder, "images", *place)
        images.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.image, images / sample.image_file)
        if sample.mask is not None:
            masks = inside(folder, "masks", *place)
            masks.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sample.mask, masks / f"{sample.key}{sample.mask.suffix.lower()}")
        step("copying", done, len(material.samples))
