"""Images and masks of a measurement as bytes in memory, all of one size."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ....core.errors import InputError
from ....core.masks.label_mask import IGNORE, MaskCode
from ....core.masks.labelled_png import read_labels
from ...images import read_rgb
from ..learner import Step
from .segmentation_metrics import boundary_bands
from .segmentation_nets import Features, Net, resolve_device
from .segmenter_settings import Segmenter

if TYPE_CHECKING:  # types alone
    from .pair_data import Pair

FULL = 2**30  # a shorter side that nothing has: read as it is


def read_store(
    pairs: "Sequence[Pair]", code: MaskCode, side: int, step: Step
) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (n, side, side, 3) and indices (n, side, side).

    Both are stretched to a square, masks without interpolation; those that name their classes go by
    these names. Raises InputError, naming the
    file, for a mask of another size than its image, with an unknown value or without labels.
    """
    images = np.empty((len(pairs), side, side, 3), np.uint8)
    masks = np.empty((len(pairs), side, side), np.uint8)
    with ThreadPoolExecutor() as pool:
        for place, arrays in enumerate(pool.map(lambda pair: _read(pair, code, side), pairs)):
            images[place], masks[place] = arrays
            step("reading pairs", place + 1, len(pairs))
    return images, masks


def _read(pair: "Pair", code: MaskCode, side: int) -> tuple[np.ndarray, np.ndarray]:
    image, mask = read_rgb(pair.path, FULL), read_labels(pair.mask, pair.code or code)
    return stretch(image, mask, side, pair.mask)


def stretch(
    image: np.ndarray, mask: np.ndarray, side: int, name: Path
) -> tuple[np.ndarray, np.ndarray]:
    """An image and its mask as squares, the mask without interpolation.

    Raises InputError, naming the file, when they do not fit, and when no label is left.
    """
    if image.shape[:2] != mask.shape:
        (height, width), (tall, wide) = image.shape[:2], mask.shape
        raise InputError(
            f"The mask {name} has {wide}x{tall} pixels and its image {width}x{height}. A "
            "mask must match its image."
        )
    small = _check_size(mask, side, Image.Resampling.NEAREST)
    if (small == IGNORE).all():
        raise InputError(
            f"The mask {name} has no labelled pixel at {side} pixels: what it labels is too "
            "small. Take the pair out, or ask for a larger 'size'."
        )
    return _check_size(image, side, Image.Resampling.BICUBIC), small


def _check_size(pixels: np.ndarray, side: int, how: Image.Resampling) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((side, side), how))


def check_classes(masks: np.ndarray, code: MaskCode, folder: Path) -> None:
    """Raises InputError when a class has no pixel in the test split's masks (n, side, side)."""
    there = np.bincount(masks.ravel(), minlength=IGNORE + 1)
    for index, name in enumerate(code.classes):
        if not there[index]:
            raise InputError(
                f"No mask of the test split of {folder} shows {name!r}. Leave the class out of the "
                "palette file, or test on pairs that have it."
            )


ENCODED = 64  # images at once


@dataclass(frozen=True)
class Pairs:
    """`images` (k, side, side, 3), bytes, and `masks` (k, side, side), indices by `code`.

    Row i of a table has the image `image_of[i]` and the mask `mask_of[i]`: the rows of mismatched
    pairs have another image's mask.
    """

    code: MaskCode
    images: np.ndarray
    masks: np.ndarray
    image_of: np.ndarray
    mask_of: np.ndarray

    @property
    def side(self) -> int:
        """In pixels, of every pair."""
        return self.masks.shape[1]

    @property
    def background(self) -> int | None:
        """The class that is no object, where there is one."""
        classes = self.code.classes
        return classes.index("background") if "background" in classes else None


class EncoderCache:
    """Pairs, and what the frozen encoder sees in them: kept, in half precision, once asked for."""

    def __init__(self, pairs: Pairs, net: Net, segmenter: Segmenter) -> None:
        self.pairs, self.net = pairs, net
        self.frozen, self.pretrained = segmenter.mode == "frozen", segmenter.pretrained
        self.device = resolve_device(segmenter.device)
        self._cached = np.zeros(len(pairs.images), bool)
        self._features: list[np.ndarray] = []
        self._banded = np.zeros(len(pairs.masks), bool)
        self._bands = np.empty_like(pairs.masks)
        net.encoder.to(self.device)

    def masks(self, rows: np.ndarray) -> np.ndarray:
        """The masks of rows, indices (n, side, side)."""
        return self.pairs.masks[self.pairs.mask_of[rows]]

    def bands(self, rows: np.ndarray) -> np.ndarray:
        """The boundary bands of the masks of rows, found once for each mask."""
        places = self.pairs.mask_of[rows]
        missing = np.unique(places[~self._banded[places]])
        if len(missing):
            self._bands[missing] = boundary_bands(self.pairs.masks[missing])
            self._banded[missing] = True
        return self._bands[places]

    def encode(self, encoder: nn.Module, images: np.ndarray) -> Features:
        """What an encoder sees in bytes (n, side, side, 3); without gradients when it is frozen."""
        pixels = self.net.normalise(torch.from_numpy(images).to(self.device))
        with torch.no_grad() if self.frozen else nullcontext():
            return encoder(pixels)

    def encode_rows(self, encoder: nn.Module, rows: np.ndarray) -> Features:
        """What an encoder sees in the images of rows, from memory when it is the frozen one."""
        if self.frozen:
            return self.features(rows)
        return self.encode(encoder, self.pairs.images[self.pairs.image_of[rows]])

    def features(self, rows: np.ndarray) -> Features:
        """What the frozen encoder sees in the images of rows."""
        places = self.pairs.image_of[rows]
        missing = np.unique(places[~self._cached[places]])
        for start in range(0, len(missing), ENCODED):
            self._keep(missing[start : start + ENCODED])
        return [self._ready(array[places]) for array in self._features]

    def _keep(self, places: np.ndarray) -> None:
        features = self.encode(self.net.encoder, self.pairs.images[places])
        if not self._features:  # pages that are never written take no memory
            self._features = [
                np.empty((len(self.pairs.images), *f.shape[1:]), np.float16) for f in features
            ]
        for array, feature in zip(self._features, features, strict=True):
            array[places] = feature.half().cpu().numpy()
        self._cached[places] = True

    def _ready(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device).float()
