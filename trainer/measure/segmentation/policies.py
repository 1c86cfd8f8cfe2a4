"""What policies do to pairs: image and mask are moved together, each pair with its own chances."""

from functools import lru_cache

import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from ..pixels.policies import seeded
from ..policy import Policy
from .copy_paste import copy_pasted

PASTING = 8  # its chances are apart from those of other transforms
SCALE = (0.5, 1.0)  # of a crop's area
JITTER = (0.3, 0.3, 0.3)  # brightness, contrast, saturation


@lru_cache
def _transform(policy: Policy, side: int) -> v2.Transform | None:
    flip, crop = v2.RandomHorizontalFlip(), v2.RandomResizedCrop(side, scale=SCALE)
    colour = v2.ColorJitter(*JITTER)
    known: dict[Policy, v2.Transform] = {
        "flip": flip,
        "crop": crop,
        "colour": colour,
        "classical": v2.Compose([flip, crop, colour]),
        "classical+copypaste": v2.Compose([flip, crop, colour]),
    }
    return known.get(policy)


def augmented_pairs(
    images: np.ndarray, masks: np.ndarray, policy: Policy, background: int | None, *seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (n, side, side, 3) and indices (n, side, side) as the policy makes them.

    `background`: the class that Copy-Paste leaves alone. A mask is never interpolated.
    """
    transform = _transform(policy, images.shape[1])
    if transform is not None:
        with seeded(*seed):
            pairs = [_moved(transform, *pair) for pair in zip(images, masks, strict=True)]
        images, masks = (np.stack(part) for part in zip(*pairs, strict=True))
    if "copypaste" in policy:
        rng = np.random.default_rng([*seed, PASTING])
        return copy_pasted(images, masks, background, rng)
    return images, masks


def _moved(
    transform: v2.Transform, image: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    pixels = tv_tensors.Image(torch.from_numpy(image).permute(2, 0, 1))
    found, moved = transform(pixels, tv_tensors.Mask(torch.from_numpy(mask)))
    return found.permute(1, 2, 0).numpy(), moved.numpy()
