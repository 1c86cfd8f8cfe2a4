"""Class folders of drawn photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, side: int = 40) -> Image.Image:
    """A smooth random picture: 5 x 5 random colours, enlarged."""
    colours = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((side, side), Image.Resampling.BICUBIC)


def fill(folder: Path, count: int, first: int = 0, names: Sequence[str] = ("cat", "dog")) -> Path:
    """Class folders of `count` pictures each."""
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            seed = first + 1000 * number + index
            picture(seed).save(folder / name / f"{index:03}.png")
    return folder
