"""Memorisation: the share of a subject's pictures that copy a training photo.

Training uses square crops, so pictures are compared with crops, by thumbnails as in near_copies.
The threshold is calibrated on disguised copies of these crops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...near_copies import CAUGHT, make_disguised_copies, nearest_images, thumbnails

LEAST_DISGUISED = 200  # copies that the threshold is calibrated on
STRIDE = 16  # crops lie a sixteenth of their side apart, which is what a disguise moves


@dataclass(frozen=True)
class Memorisation:
    """`share`: of pictures nearer to a crop of a training photo than `threshold`.

    `expected`: the same share of held-out photos, which are no copies; `excess` is the difference.
    `photo`: the index of each picture's nearest training photo (n); `distance` to it (n, 0 to 2).
    """

    share: float
    expected: float
    threshold: float
    photo: np.ndarray
    distance: np.ndarray

    @property
    def excess(self) -> float:
        """The share (0 to 1) above that of held-out photos."""
        return max(0.0, self.share - self.expected)


def measure_memorisation(
    pictures: Sequence[np.ndarray],
    training: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    seed: int = 0,
) -> Memorisation:
    """Search pictures for copies of training photos; all are RGB bytes (height, width, 3)."""
    crops = [square_crops(photo) for photo in training]
    owner = np.repeat(np.arange(len(crops)), [len(squares) for squares in crops])
    flat = [crop for squares in crops for crop in squares]
    references = thumbnails(flat)
    disguised = make_disguised_copies(flat * -(-LEAST_DISGUISED // len(flat)), seed)
    disguised_distances = nearest_images(disguised, references).distance
    threshold = float(np.quantile(disguised_distances, CAUGHT, method="higher"))
    real = nearest_images([crop_centre(photo) for photo in held_out], references).distance
    nearest = nearest_images([crop_centre(picture) for picture in pictures], references)
    share, expected = (
        float((distances <= threshold).mean()) for distances in (nearest.distance, real)
    )
    return Memorisation(share, expected, threshold, owner[nearest.index], nearest.distance)


def square_crops(photo: np.ndarray) -> list[np.ndarray]:
    """The squares (side, side, 3) along the longer side of a photo (height, width, 3)."""
    height, width = photo.shape[:2]
    side, spare = min(height, width), abs(height - width)
    count = 1 + -(-spare * STRIDE // side)
    places = np.linspace(0, spare, count).round().astype(int)
    return [
        photo[:, place : place + side] if width > height else photo[place : place + side]
        for place in places.tolist()
    ]


def crop_centre(image: np.ndarray) -> np.ndarray:
    """The centre square of an image (height, width, 3)."""
    crops = square_crops(image)
    return crops[len(crops) // 2]
