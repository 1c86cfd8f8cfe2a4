"""The images of a measurement as bytes in memory, decoded once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from ...images import read_rgb


class Pixels:
    """RGB bytes of image files, `side` x `side` each, read when they are first asked for.

    What is not asked for takes no memory; an image takes 3 x side x side bytes. `short_side`: what
    larger images are shrunk to first, by default `side`. `resampling`: the last resize's.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        side: int,
        short_side: int | None = None,
        resampling: Image.Resampling = Image.Resampling.BICUBIC,
    ) -> None:
        self.paths, self.side, self.resampling = paths, side, resampling
        self.short_side = short_side or side
        self._bytes = np.empty((len(paths), side, side, 3), np.uint8)
        self._cached = np.zeros(len(paths), bool)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """All bytes (n, side, side, 3); those of `rows` are valid. Raises InputError."""
        missing = np.unique(rows[~self._cached[rows]])
        with ThreadPoolExecutor() as pool:
            for row, image in zip(missing, pool.map(self._decode, missing), strict=True):
                self._bytes[row] = image
        self._cached[missing] = True
        return self._bytes

    def _decode(self, row: int) -> np.ndarray:
        return resize_square(read_rgb(self.paths[row], self.short_side), self.side, self.resampling)


def resize_square(
    image: np.ndarray, side: int, resampling: Image.Resampling = Image.Resampling.BICUBIC
) -> np.ndarray:
    """RGB bytes (side, side, 3) of an image of any size, whole, its proportions given up."""
    return np.asarray(Image.fromarray(image).resize((side, side), resampling))
