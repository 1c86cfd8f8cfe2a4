"""A small segmenter on the frozen backbone: what is foreground in an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from torch import nn


@dataclass(frozen=True)
class Segmenter:
    """The frozen backbone and the head trained on its layers."""

    session: InferenceSession
    head: nn.Module


def train_segmenter(
    session: InferenceSession,
    images: Sequence[np.ndarray],
    trimaps: Sequence[np.ndarray],
    seed: int = 0,
) -> Segmenter:
    """From RGB byte images (height, width, 3) and trimaps (height, width) of core.palettes."""
    raise NotImplementedError


def foreground(segmenter: Segmenter, images: Sequence[np.ndarray]) -> np.ndarray:
    """Masks (n, height, width), bool, of RGB byte images (height, width, 3) of one size."""
    raise NotImplementedError


def save_segmenter(segmenter: Segmenter, path: Path) -> None:
    """Write the head as safetensors."""
    raise NotImplementedError


def load_segmenter(session: InferenceSession, path: Path) -> Segmenter:
    """Read a head. Raises InputError when there is none, or not one of this kind."""
    raise NotImplementedError
