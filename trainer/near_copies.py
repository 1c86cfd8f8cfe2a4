"""Whether generated images are copies of real ones: nearest neighbours, and a measured threshold.

Images are compared as thumbnails. A backbone's features know who looks alike, but lose a copy that
is a little blurred, as a small autoencoder's are; a thumbnail keeps it, and seldom takes another
photo for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from ..core.errors import InputError

SIDE = 16  # of a thumbnail
CAUGHT = 0.95  # of disguised copies are to be told as copies
MOST_DISGUISED = 300


@dataclass(frozen=True)
class Neighbours:
    """For each image the nearest real one: its index (n), and the distance to it (n, 0 to 2)."""

    index: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True)
class Copies:
    """How many images are near-copies: nearer to a real one than `threshold`.

    `share`: of the images searched. `caught`: of disguised copies; that is what the threshold is
    chosen by. `real_share`: of other real images, which shows how often two photos are that near.
    """

    threshold: float
    share: float
    caught: float
    real_share: float


def thumbnails(images: Sequence[np.ndarray]) -> np.ndarray:
    """Rows (n, 768) of unit length, of RGB byte images (height, width, 3).

    The images at 16 x 16 pixels, less the mean of each colour, so that the distance between two
    rows does not see brightness, tint and contrast; its square is 2 - 2 x their correlation.
    """
    small = np.stack([np.asarray(_small(image), np.float32) for image in images])
    rows = (small - small.mean(axis=(1, 2), keepdims=True)).reshape(len(small), -1)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _small(image: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(image)).resize((SIDE, SIDE), Image.Resampling.BOX)


def mirrored(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Left and right exchanged."""
    return [np.ascontiguousarray(image[:, ::-1]) for image in images]


def nearest(rows: np.ndarray, turned: np.ndarray, references: np.ndarray) -> Neighbours:
    """For each image the nearest reference, the image mirrored or not, whichever is nearer.

    `rows` (n, d) of the images, `turned` (n, d) of their mirror images, `references` (m, d): all of
    unit length, thumbnails or features.
    """
    if not len(references):
        raise InputError("There are no real images to search for near-copies.")
    alike = np.maximum(rows @ references.T, turned @ references.T)
    index = alike.argmax(axis=1)
    square = 2 - 2 * alike[np.arange(len(rows)), index]
    return Neighbours(index, np.sqrt(np.maximum(square, 0)))


def nearest_images(images: Sequence[np.ndarray], references: np.ndarray) -> Neighbours:
    """`nearest` by thumbnails: of RGB byte images among `references`, thumbnails (m, 768)."""
    return nearest(thumbnails(images), thumbnails(mirrored(images)), references)


def search_copies(
    images: Sequence[np.ndarray],
    copied: Sequence[np.ndarray],
    other_images: Sequence[np.ndarray],
    seed: int = 0,
) -> tuple[Copies, Neighbours]:
    """Search `images` for near-copies of the real images `copied`.

    The threshold is the distance that tells 95 % of disguised copies of `copied`; `others` are
    real images that are not among them. All are RGB bytes (height, width, 3).
    """
    references = thumbnails(copied)
    disguised = make_disguised_copies(copied[:: 1 + len(copied) // MOST_DISGUISED], seed)
    disguised_distances = nearest_images(disguised, references).distance
    threshold = float(np.quantile(disguised_distances, CAUGHT, method="higher"))
    real = nearest_images(other_images, references).distance
    nearest = nearest_images(images, references)
    shares = [
        float((distances <= threshold).mean())
        for distances in (nearest.distance, disguised_distances, real)
    ]
    return Copies(threshold, *shares), nearest


def make_disguised_copies(images: Sequence[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """The images as a model might copy them.

    Moved and enlarged by up to a sixteenth of their size, up to 15 % brighter or darker and of
    more or less contrast, blurred by a hundredth of their width, and half of them mirrored.
    """
    rng = np.random.default_rng(seed)
    return [_disguise(image, rng) for image in images]


def _disguise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    shown = rng.uniform(15 / 16, 1)
    x_min, y_min = rng.uniform(0, 1 - shown, 2) * (width, height)
    box = (x_min, y_min, x_min + shown * width, y_min + shown * height)
    copy = Image.fromarray(np.ascontiguousarray(image))
    copy = copy.resize((width, height), Image.Resampling.BICUBIC, box)
    copy = ImageEnhance.Brightness(copy).enhance(rng.uniform(0.85, 1.15))
    copy = ImageEnhance.Contrast(copy).enhance(rng.uniform(0.85, 1.15))
    pixels = np.asarray(copy.filter(ImageFilter.GaussianBlur(width / 100)))
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.random() < 0.5 else pixels
