"""What the autoencoder keeps of test images."""

import numpy as np
from onnxruntime import InferenceSession

from ...perceptual import anchors, perceptual_distances
from .drawn import Drawn


def reconstruction_figures(session: InferenceSession, drawn: Drawn, placed: int = 50) -> dict:
    """Of images that went through the autoencoder: PSNR in dB, and how different they look.

    `anchors`: the same distance for damages everybody knows, on `placed` of the images.
    """
    photos = drawn.sources()
    distances = perceptual_distances(session, list(drawn.images), list(photos))
    return {
        "images": len(photos),
        "psnr": float(psnr(drawn.images, photos).mean()),
        "perceptual": float(distances.mean()),
        "anchors": anchors(session, list(photos[:placed])),
    }


def psnr(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio (n) in dB of bytes (n, height, width, 3)."""
    errors = np.square(found.astype(float) - wanted).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(errors, 1e-9))
