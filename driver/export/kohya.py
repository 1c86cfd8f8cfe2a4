"""kohya's sd-scripts: <split>/10_<class_name>/<key>.png, with its caption in <key>.txt beside.

The number is how often an epoch repeats each image:
https://github.com/kohya-ss/sd-scripts/blob/main/docs/train_README-en.md
"""

import shutil
from pathlib import Path

from ...core.paths import inside
from .export_material import Material, Step

REPEATS = 10


def write_kohya(material: Material, folder: Path, step: Step) -> None:
    """Write images and captions by class. Masks are left out: sd-scripts read none.

    A caption is the prompt in one line, as sd-scripts read only the first. An image without a
    prompt gets no caption: sd-scripts then take the class name from the folder.
    """
    for done, sample in enumerate(material.samples, 1):
        images = inside(folder, sample.split, f"{REPEATS}_{sample.record.class_name}")
        images.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample.image, images / sample.image_file)
        caption = " ".join((sample.record.prompt or "").split())
        if caption:
            (images / f"{sample.key}.txt").write_text(caption + "\n", encoding="utf-8")
        step("copying", done, len(material.samples))
