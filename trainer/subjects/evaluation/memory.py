"""How many pictures of a subject repeat a photo that it was trained on.

Photos are seen in training as square crops, so that pictures are compared with crops, by
thumbnails, as near_copies does; the threshold is measured on disguised copies of these crops.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...near_copies import CAUGHT, disguised_copies, nearest_images, thumbnails

LEAST_DISGUISED = 200  # copies that the threshold is measured on
STRIDE = 16  # crops lie a sixteenth of their side apart, which is what a disguise moves


@dataclass(frozen=True)
class Memory:
    """`share`: of the pictures that are nearer to a crop of a training photo than `threshold`.

    `expected`: of the held-out photos, which are no copies; `excess` is what is more than that.
    `photo`: the nearest training photo of each picture (n); `distance` to it (n, 0 to 2).
    """

    share: float
    expected: float
    threshold: float
    photo: np.ndarray
    distance: np.ndarray

    @property
    def excess(self) -> float:
        """The share (0 to 1) beyond what photos that are no copies have."""
        return max(0.0, self.share - self.expected)


def memory(
    pictures: Sequence[np.ndarray],
    training: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    seed: int = 0,
) -> Memory:
    """Search pictures for copies of training photos; all are RGB bytes (height, width, 3)."""
    crops = [square_crops(photo) for photo in training]
    owner = np.repeat(np.arange(len(crops)), [len(own) for own in crops])
    flat = [crop for own in crops for crop in own]
    references = thumbnails(flat)
    disguised = disguised_copies(flat * -(-LEAST_DISGUISED // len(flat)), seed)
    known = nearest_images(disguised, references).distance
    threshold = float(np.quantile(known, CAUGHT, method="higher"))
    real = nearest_images([middle(photo) for photo in held_out], references).distance
    found = nearest_images([middle(picture) for picture in pictures], references)
    share, expected = (float((part <= threshold).mean()) for part in (found.distance, real))
    return Memory(share, expected, threshold, owner[found.index], found.distance)


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


def middle(image: np.ndarray) -> np.ndarray:
    """The square in the middle of an image (height, width, 3)."""
    crops = square_crops(image)
    return crops[len(crops) // 2]
