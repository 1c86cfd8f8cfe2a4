"""What all runs of a measurement share: pairs as bytes, the frozen encoder and what it has seen."""

from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ....core.masks.codes import MaskCode
from .counts import banded
from .nets import Features, Net, device_of
from .segmenter import Segmenter

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


class Memory:
    """Pairs, and what the frozen encoder sees in them: kept, in half precision, once asked for."""

    def __init__(self, pairs: Pairs, net: Net, segmenter: Segmenter) -> None:
        self.pairs, self.net = pairs, net
        self.frozen, self.pretrained = segmenter.mode == "frozen", segmenter.pretrained
        self.device = device_of(segmenter.device)
        self._known = np.zeros(len(pairs.images), bool)
        self._kept: list[np.ndarray] = []
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
            self._bands[missing] = banded(self.pairs.masks[missing])
            self._banded[missing] = True
        return self._bands[places]

    def encoded(self, encoder: nn.Module, images: np.ndarray) -> Features:
        """What an encoder sees in bytes (n, side, side, 3); without gradients when it is frozen."""
        pixels = self.net.normalised(torch.from_numpy(images).to(self.device))
        with torch.no_grad() if self.frozen else nullcontext():
            return encoder(pixels)

    def seen_by(self, encoder: nn.Module, rows: np.ndarray) -> Features:
        """What an encoder sees in the images of rows, from memory when it is the frozen one."""
        if self.frozen:
            return self.features(rows)
        return self.encoded(encoder, self.pairs.images[self.pairs.image_of[rows]])

    def features(self, rows: np.ndarray) -> Features:
        """What the frozen encoder sees in the images of rows."""
        places = self.pairs.image_of[rows]
        missing = np.unique(places[~self._known[places]])
        for start in range(0, len(missing), ENCODED):
            self._keep(missing[start : start + ENCODED])
        return [self._ready(kept[places]) for kept in self._kept]

    def _keep(self, places: np.ndarray) -> None:
        found = self.encoded(self.net.encoder, self.pairs.images[places])
        if not self._kept:  # pages that are never written take no memory
            self._kept = [
                np.empty((len(self.pairs.images), *f.shape[1:]), np.float16) for f in found
            ]
        for kept, feature in zip(self._kept, found, strict=True):
            kept[places] = feature.half().cpu().numpy()
        self._known[places] = True

    def _ready(self, kept: np.ndarray) -> Tensor:
        return torch.from_numpy(kept).to(self.device).float()
