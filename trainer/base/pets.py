"""The instruments of the evaluation, made from real pets, and their own scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from sklearn.linear_model import LogisticRegression

from ..probe import Agreement
from ..segmenter import Segmenter
from .data import Entry


@dataclass(frozen=True)
class RealPets:
    """Real images with what is known of them: entries, RGB bytes (n, 128, 128, 3), features."""

    entries: Sequence[Entry]
    images: np.ndarray
    features: np.ndarray
    labels: np.ndarray  # (n) from 0


def real_pets(session: InferenceSession, data: Path, entries: Sequence[Entry]) -> RealPets:
    """Read, centre-cropped to 128 x 128."""
    raise NotImplementedError


def pet_segmenter(folder: Path, session: InferenceSession, data: Path) -> Segmenter:
    """The segmenter trained on the pool's trimaps; kept in `folder`/segmenter.safetensors."""
    raise NotImplementedError


def segmenter_iou(segmenter: Segmenter, data: Path, entries: Sequence[Entry]) -> float:
    """Its mean IoU on real images, borders left out."""
    raise NotImplementedError


def probe_agreement(
    probe: LogisticRegression, features: np.ndarray, labels: np.ndarray, species: np.ndarray
) -> tuple[Agreement, float]:
    """The probe's agreement, and the share (0 to 1) whose species it gets right."""
    raise NotImplementedError
