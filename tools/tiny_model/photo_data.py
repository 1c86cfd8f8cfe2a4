"""The images manyshot-tiny may learn from: the pool of Oxford-IIIT Pet, in memory as bytes."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from manyshot.core.class_folders import find_class_folders
from manyshot.core.images import open_image, open_rgb
from manyshot.core.pets import FOLDER, Entry
from manyshot.core.subsets import evenly
from manyshot.core.tiny_sizes import IMAGE_SIZE
from manyshot.trainer.images import to_pixels
from PIL import Image
from torch import Tensor


def pixel_hash(image: np.ndarray) -> str:
    """24 hexadecimal digits that stand for an image's pixels and shape."""
    return sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()[:24]


def read_images(root: Path, entries: Iterable[Entry], short_side: int) -> list[np.ndarray]:
    """RGB bytes of each entry, (height, width, 3), the shorter side resized to `short_side`."""
    folder = root / FOLDER / "images"
    return [read_image(folder / f"{entry.name}.jpg", short_side) for entry in entries]


def read_image(path: Path, short_side: int | None) -> np.ndarray:
    """One image as RGB bytes (height, width, 3), its shorter side resized to `short_side`."""
    image = open_rgb(path)
    size = _shrink_size(image.size, short_side or min(image.size))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))  # a copy if it has that size


def _shrink_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    factor = short_side / min(size)
    width, height = (max(short_side, round(side * factor)) for side in size)
    return width, height


def read_trimaps(root: Path, entries: Iterable[Entry], short_side: int) -> list[np.ndarray]:
    """For each entry 1 (pet), 2 (background) and 3 (border), (height, width), as `read_images`."""
    folder = root / FOLDER / "annotations" / "trimaps"
    return [_read_trimap(folder / f"{entry.name}.png", short_side) for entry in entries]


def _read_trimap(path: Path, short_side: int) -> np.ndarray:
    trimap = open_image(path, "trimap")
    return np.asarray(
        trimap.resize(_shrink_size(trimap.size, short_side), Image.Resampling.NEAREST)
    )


def read_broad(
    folder: Path, each: int, short_side: int | None = None
) -> tuple[list[str], list[np.ndarray]]:
    """Up to `each` images of every class folder, evenly chosen by name, and their class names.

    `folder` is laid out as torchvision's ImageFolder, its folders named in words ("school bus").
    """
    chosen = [
        (source.name, p)
        for source in find_class_folders(folder)
        for p in evenly(source.images, each)
    ]
    return [name for name, _ in chosen], [read_image(path, short_side) for _, path in chosen]


def centre_crop(image: np.ndarray, size: int) -> np.ndarray:
    """The middle `size` x `size` pixels of an (height, width, 3) image."""
    top, left = ((side - size) // 2 for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def preview_pixels(images: Sequence[np.ndarray], count: int) -> Tensor:
    """`count` of the images, evenly chosen, as pixels (count, 3, 128, 128) from -1 to 1."""
    chosen = [images[len(images) * i // count] for i in range(count)]
    return to_pixels(torch.from_numpy(np.stack([centre_crop(c, IMAGE_SIZE) for c in chosen])))
