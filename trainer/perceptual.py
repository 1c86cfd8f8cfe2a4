"""How different two images look: LPIPS's form on the offline backbone's layers."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from onnxruntime import InferenceSession
from PIL import Image, ImageFilter

from ..core.errors import InputError
from ..core.images import open_image
from .backbone import outputs

Change = Callable[[Image.Image], Image.Image]


def perceptual_distances(
    session: InferenceSession, first: Sequence[np.ndarray], second: Sequence[np.ndarray]
) -> np.ndarray:
    """Distances (n) between RGB byte images (height, width, 3), pair by pair; 0 when equal.

    Zhang et al. 2018, equation 1, without learned weights (the paper's "baseline"): in each of
    the five layers the vectors at each place are made unit length, their squared differences
    are averaged over places, and the layers are summed. At most 10, as ReLU's vectors are at right
    angles at most. It is not LPIPS itself, which has another net: compare with `anchors`.
    """
    if len(first) != len(second):
        raise InputError(f"Pairs are needed: {len(first)} images, but {len(second)} others.")
    pairs = zip(outputs(session, first), outputs(session, second), strict=True)
    distances = [sum(map(layer_distances, ours, theirs)) for ours, theirs in pairs]
    return np.concatenate(distances)


def layer_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of layers (n, channels, height, width): (n)."""
    error = _unit(first) - _unit(second)
    return np.square(error).sum(axis=1).mean(axis=(1, 2))


def _unit(layer: np.ndarray) -> np.ndarray:
    return layer / np.maximum(np.linalg.norm(layer, axis=1, keepdims=True), 1e-6)


def anchors(session: InferenceSession, images: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean distances that place the number: of images to themselves after a known damage.

    The last, "another image", is the distance to the next image in the sequence.
    """
    means = {
        name: _mean(session, images, [_apply(i, change) for i in images])
        for name, change in _CHANGES.items()
    }
    shifted = [*images[1:], images[0]]
    return means | {"another image": _mean(session, images, shifted)}


def _mean(
    session: InferenceSession, images: Sequence[np.ndarray], references: Sequence[np.ndarray]
) -> float:
    return float(perceptual_distances(session, images, references).mean())


def _apply(image: np.ndarray, change: Change) -> np.ndarray:
    return np.asarray(change(Image.fromarray(image)))


def _jpeg(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        image.save(stream, "jpeg", quality=quality)
        return open_image(stream.getvalue())

    return change


def _blur(sigma: float) -> Change:
    return lambda image: image.filter(ImageFilter.GaussianBlur(sigma))


_CHANGES: dict[str, Change] = {
    "JPEG quality 50": _jpeg(50),
    "JPEG quality 10": _jpeg(10),
    "blur of 1 pixel": _blur(1),
    "blur of 2 pixels": _blur(2),
    "blur of 4 pixels": _blur(4),
}
