"""Small folders of labelled photos, for tests of what is made from them."""

from pathlib import Path

import numpy as np
from PIL import Image

PALETTE = "classes: {background: 0, cat: 1, dog: 2}\nignore: 255\n"
WIDE, TALL = 40, 32


def write_pair(folder: Path, name: str, value: int, place: int) -> None:
    """One photo of noise with a rectangle of class `value`, its outline ignored."""
    labels = np.zeros((TALL, WIDE), np.uint8)
    labels[8:26, 6 + place : 26 + place] = 255
    labels[10:24, 8 + place : 24 + place] = value
    pixels = np.random.default_rng(place).integers(0, 255, (TALL, WIDE, 3), np.uint8)
    for kind, array, suffix in (("images", pixels, ".png"), ("masks", labels, ".png")):
        path = folder / kind / (name + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)


def write_pairs(folder: Path, each: int = 2) -> Path:
    """Photos of the classes Persian (cat) and Beagle (dog), in the layout of pairs."""
    for number in range(each):
        write_pair(folder, f"Persian/p{number}", 1, number)
        write_pair(folder, f"Beagle/b{number}", 2, 5 + number)
    (folder / "palette.yaml").write_text(PALETTE)
    return folder
