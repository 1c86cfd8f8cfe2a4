"""How well the edges of images agree with the edge maps they were drawn after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from kornia.filters import canny
from scipy.ndimage import binary_dilation, generate_binary_structure

from ..core.errors import InputError


@dataclass(frozen=True)
class EdgeAgreement:
    """Means over images, 0 to 1: `precision` of the image's edges, `recall` of the map's."""

    precision: float
    recall: float
    f1: float


def canny_edges(images: Sequence[np.ndarray], low: float = 0.4, high: float = 0.8) -> np.ndarray:
    """Edges (n, height, width), bool, of RGB byte images of one size.

    The same as ComfyUI's node Canny, whose defaults the thresholds are.
    """
    return np.concatenate([_edges(image, low, high) for image in images])


def _edges(image: np.ndarray, low: float, high: float) -> np.ndarray:
    pixels = torch.from_numpy(np.array(image)).movedim(-1, 0)[None].float() / 255
    return canny(pixels, low, high)[1][:, 0].numpy() > 0


def edge_agreement(predicted: np.ndarray, target: np.ndarray, tolerance: int = 1) -> EdgeAgreement:
    """Of bool edge maps (n, height, width); `found` are the image's, `wanted` the map's.

    An edge counts as the same within `tolerance` pixels, diagonals included. An image without
    edges has precision 1, a map without edges recall 1; f1 is their harmonic mean in each image.
    """
    if predicted.shape != target.shape:
        raise InputError(f"Edge maps of different shapes: {predicted.shape} and {target.shape}.")
    precision = _covered_share(predicted, _thick(target, tolerance))
    recall = _covered_share(target, _thick(predicted, tolerance))
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return EdgeAgreement(float(precision.mean()), float(recall.mean()), float(f1.mean()))


def _thick(edges: np.ndarray, tolerance: int) -> np.ndarray:
    if tolerance == 0:
        return edges
    square = generate_binary_structure(2, 2)[None]  # of one image: not into its neighbours
    return binary_dilation(edges, square, iterations=tolerance)


def _covered_share(edges: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The share (n) of each map's edges that lies in `by`; 1 where it has none."""
    count = edges.sum(axis=(1, 2))
    return np.where(count, (edges & by).sum(axis=(1, 2)) / np.maximum(count, 1), 1.0)


def mask_iou(
    predicted: np.ndarray, target: np.ndarray, counted: np.ndarray | None = None
) -> np.ndarray:
    """Intersection over union (n) of bool masks (n, height, width); 1 where both are empty.

    Pixels outside `counted` (bool, n, height, width) are left out.
    """
    if predicted.shape != target.shape:
        raise InputError(f"Masks of different shapes: {predicted.shape} and {target.shape}.")
    counted = np.ones_like(predicted) if counted is None else counted
    both = (predicted & target & counted).sum(axis=(1, 2))
    either = ((predicted | target) & counted).sum(axis=(1, 2))
    return np.where(either, both / np.maximum(either, 1), 1.0)


def mismatched(count: int, seed: int = 0) -> np.ndarray:
    """A random permutation (count) that leaves nothing in its place: other images' conditions.

    What a measure gives for `wanted[mismatched(n)]` is its floor: agreement by chance.
    """
    if count < 2:
        raise InputError("A floor needs two images at least: one has no other to be mixed up with.")
    order = np.random.default_rng(seed).permutation(count)
    permutation = np.empty(count, int)
    permutation[order] = np.roll(order, 1)
    return permutation
