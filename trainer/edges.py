"""How well the edges of images agree with edge maps they were drawn after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class EdgeAgreement:
    """Means over images, 0 to 1: `precision` of the image's edges, `recall` of the map's."""

    precision: float
    recall: float
    f1: float


def canny_edges(images: Sequence[np.ndarray], low: float = 0.4, high: float = 0.8) -> np.ndarray:
    """Edges (n, height, width), bool, of RGB byte images of one size: what ComfyUI's Canny gives."""
    raise NotImplementedError


def edge_agreement(found: np.ndarray, wanted: np.ndarray, tolerance: int = 1) -> EdgeAgreement:
    """Of bool edge maps (n, height, width); an edge within `tolerance` pixels counts as the same."""
    raise NotImplementedError
