"""How different two images look: LPIPS's form on the offline backbone's layers."""

from collections.abc import Sequence

import numpy as np
from onnxruntime import InferenceSession


def perceptual_distances(
    session: InferenceSession, first: Sequence[np.ndarray], second: Sequence[np.ndarray]
) -> np.ndarray:
    """Distances (n) between RGB byte images (height, width, 3), pair by pair; 0 when equal.

    Zhang et al. 2018, equation 1, without learned weights.
    """
    raise NotImplementedError


def anchors(session: InferenceSession, images: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean distances that place the number: to JPEG 10, blurs of known sigma, another image."""
    raise NotImplementedError
