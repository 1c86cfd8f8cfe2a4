"""What the autoencoder keeps of test images."""

import numpy as np
from manyshot.trainer.perceptual import anchors, perceptual_distances
from onnxruntime import InferenceSession

from .dataset_images import DatasetImages


def reconstruction_figures(
    session: InferenceSession, dataset: DatasetImages, placed: int = 50
) -> dict:
    """Of images that went through the autoencoder: PSNR in dB, and how different they look.

    `anchors`: the same distance for damages everybody knows, on `placed` of the images.
    """
    photos = dataset.sources()
    distances = perceptual_distances(session, list(dataset.images), list(photos))
    return {
        "images": len(photos),
        "psnr": float(psnr(dataset.images, photos).mean()),
        "perceptual": float(distances.mean()),
        "anchors": anchors(session, list(photos[:placed])),
    }


def psnr(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio (n) in dB of bytes (n, height, width, 3)."""
    errors = np.square(output.astype(float) - target).mean(axis=(1, 2, 3))
    return 10 * np.log10(255**2 / np.maximum(errors, 1e-9))
