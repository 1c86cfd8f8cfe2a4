"""Whether generated images are copies of real ones: their nearest neighbours, and a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession


@dataclass(frozen=True)
class Looks:
    """What images are compared by: rows of unit length, of the images and of their mirror images.

    `features` (n, 1024) of the backbone see what is shown, `thumbnails` (n, d) how it is laid out.
    """

    features: np.ndarray
    thumbnails: np.ndarray
    mirrored_features: np.ndarray
    mirrored_thumbnails: np.ndarray


@dataclass(frozen=True)
class Neighbours:
    """For each image the nearest real one: its index, and the distance to it (0 to 2)."""

    index: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class CopyReport:
    """`share` of generated images nearer than `threshold`, beside `real_share` of real test ones.

    `found_share`: of real images disguised (recoded, shifted, mirrored) as a model's copies would
    be, the share that is nearer than the threshold.
    """

    threshold: float
    share: float
    real_share: float
    found_share: float


def looks(session: InferenceSession, images: Sequence[np.ndarray]) -> Looks:
    """Of RGB byte images (height, width, 3), all of one size."""
    raise NotImplementedError


def nearest(images: Looks, references: Looks) -> Neighbours:
    """For each of the images the nearest of the references, or of their mirror images."""
    raise NotImplementedError


def write_pairs(
    path: Path,
    images: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    neighbours: Neighbours,
    count: int = 20,
) -> None:
    """A PNG of the `count` nearest pairs, generated | real, nearest first, with distances."""
    raise NotImplementedError
