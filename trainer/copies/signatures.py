"""What is kept of an image to recognise its copies by."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ...core.images import naming_all
from ..images import read_rgb

SIDE = 128  # pixels of the shorter side; smaller images are enlarged, so that they have keypoints
LONGEST = 512
KEYPOINTS = 100  # of an image, the strongest
CONTRAST = 0.01  # of a keypoint: a quarter of SIFT's own, for smooth and dark images
THUMBNAIL = 16
KEPT = 10_000  # signatures in memory, 35 kB each
MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1, :, -np.arange(8) % 8].reshape(-1)
Progress = Callable[[int, int], None]  # (done, of)


@dataclass(frozen=True)
class Signature:
    """Of one image: `grey` bytes (height, width), the shorter side 128 pixels; its SIFT keypoints,
    `points` (k, 2) in x and y, with `descriptors` (k, 128), bytes; a `thumbnail` (16, 16)."""

    grey: np.ndarray
    points: np.ndarray
    descriptors: np.ndarray
    thumbnail: np.ndarray


def read_signatures(
    paths: Sequence[Path], progress: Progress = lambda done, of: None
) -> list[Signature]:
    """The signatures of image files. Raises InputError for a file that cannot be read."""
    signatures: list[Signature] = []
    with naming_all(paths), ThreadPoolExecutor(os.cpu_count()) as pool:
        for signature in pool.map(_of_file, paths):
            signatures.append(signature)
            progress(len(signatures), len(paths))
    return signatures


def _of_file(path: Path) -> Signature:
    state = path.stat() if path.exists() else None
    return _of_version(path, state and (state.st_mtime_ns, state.st_size))


@lru_cache(KEPT)
def _of_version(path: Path, version: tuple[int, int] | None) -> Signature:
    return compute_signature(read_rgb(path, 2 * SIDE))


def compute_signature(image: np.ndarray) -> Signature:
    """The signature of RGB bytes (height, width, 3).

    Keypoints: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints"; descriptors
    as square roots: Arandjelovic and Zisserman 2012, "Three things everyone should know to improve
    object retrieval", section 3.
    """
    grey = _of_side(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY))
    sift = cv2.SIFT.create(KEYPOINTS, contrastThreshold=CONTRAST)
    points, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    descriptors = descriptors[:KEYPOINTS]  # SIFT may give one more
    shares = descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6)
    return Signature(
        grey,
        np.array([point.pt for point in points[:KEYPOINTS]], np.float32).reshape(-1, 2),
        np.round(255 * np.sqrt(shares)).astype(np.uint8),
        cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA),
    )


def _of_side(grey: np.ndarray) -> np.ndarray:
    factor = SIDE / min(grey.shape)
    size = [min(LONGEST, max(SIDE, round(factor * length))) for length in grey.shape[::-1]]
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def mirror_descriptors(descriptors: np.ndarray) -> np.ndarray:
    """The descriptors (k, 128) of the same keypoints in the mirror image."""
    return descriptors[:, MIRRORED]
