"""Toy pairs for segmentation: bright discs on dark noise, and a small encoder."""

from pathlib import Path

import numpy as np
from PIL import Image


def disc(seed: int, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """RGB bytes and a mask (1 on the disc, 255 on its rim) of one disc somewhere."""
    rng = np.random.default_rng(seed)
    centre, radius = rng.uniform(0.3, 0.7, 2) * side, rng.uniform(0.15, 0.3) * side
    rows, columns = np.mgrid[:side, :side]
    distance = np.hypot(rows - centre[0], columns - centre[1])
    mask = (distance < radius).astype(np.uint8)
    mask[abs(distance - radius) < 1] = 255
    image = rng.integers(0, 120, (side, side, 3)) + 100 * (distance < radius)[..., None]
    return image.astype(np.uint8), mask


def save_pair(folder: Path, name: str, seed: int, mask_of: int | None = None) -> None:
    """images/<name>.png and masks/<name>.png of a disc, or of another disc's mask."""
    image, mask = disc(seed)[0], disc(seed if mask_of is None else mask_of)[1]
    for part, pixels in (("images", image), ("masks", mask)):
        path = folder / part / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def save_pairs(folder: Path, count: int, first: int = 0, classes: int = 1) -> Path:
    """`count` pairs in all, in class folders when there are two classes or more."""
    for number in range(count):
        name = f"{number:03}" if classes == 1 else f"kind{number % classes}/{number:03}"
        save_pair(folder, name, first + number)
    return folder
