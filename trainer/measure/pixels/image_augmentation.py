"""What policies do to images: torchvision's transforms, each image with chances of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from ..policy import MIXED, Policy

MIXUP_ALPHA, CUTMIX_ALPHA = 0.2, 1.0  # of torchvision's reference training


@contextmanager
def fork_rng(*numbers: int) -> Iterator[None]:
    """Torch's chances on the CPU follow from `numbers` (from 0) alone, and are then as before."""
    [state] = np.random.SeedSequence(numbers).generate_state(1, np.uint64)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(state))
        yield


@lru_cache
def build_transform(policy: Policy, side: int) -> v2.Transform:
    """The transform of a Pillow image, or of bytes, by a policy that works on one at a time."""
    if policy == "classical":
        return v2.Compose(
            [
                v2.RandomHorizontalFlip(),
                v2.RandomResizedCrop(side, scale=(0.5, 1)),
                v2.RandomRotation([-15, 15], interpolation=v2.InterpolationMode.BILINEAR),
                v2.ColorJitter(0.3, 0.3, 0.3),
            ]
        )
    transforms = {
        "autoaugment": v2.AutoAugment,
        "randaugment": v2.RandAugment,
        "trivialaugment": v2.TrivialAugmentWide,
    }
    return transforms[policy]()


def augment(images: np.ndarray, policy: Policy, *seed: int) -> np.ndarray:
    """RGB bytes (n, side, side, 3) as the policy makes them; those that mix leave them alone.

    As Pillow images: of bytes of this size that takes half the time that tensors take.
    """
    if policy == "none" or policy in MIXED:
        return images
    transform = build_transform(policy, images.shape[1])
    with fork_rng(*seed):
        return np.stack([np.asarray(transform(Image.fromarray(image))) for image in images])


def mix(pixels: Tensor, policy: Policy, *seed: int) -> tuple[Tensor, Tensor]:
    """Pixels (n, 3, side, side) mixed with each other, and the shares (n, n) of each in each.

    A row of shares adds up to 1: what is made of image i and j has their labels with these weights.
    """
    identity = torch.eye(len(pixels), device=pixels.device)
    if policy not in MIXED:
        return pixels, identity
    mixing = v2.MixUp(alpha=MIXUP_ALPHA) if policy == "mixup" else v2.CutMix(alpha=CUTMIX_ALPHA)
    with fork_rng(*seed):
        return mixing(pixels, identity)
