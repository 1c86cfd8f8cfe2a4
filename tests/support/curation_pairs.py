"""Pairs of image and mask for curation."""

from pathlib import Path

import numpy as np
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from PIL import Image

from .segmentation_shapes import disc

CLASSES = ("background", "disc")


def write_pair(folder: Path, name: str, seed: int, fits: bool = True) -> None:
    """A disc, and a mask that names its classes: its own, or one that lies elsewhere."""
    image, mask = disc(seed)
    mask = mask if fits else np.roll(mask, 16, axis=(0, 1))
    for part in ("images", "masks"):
        (folder / part / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / "images" / f"{name}.png")
    (folder / "masks" / f"{name}.png").write_bytes(encode_png(LabelMask(mask, CLASSES)))
