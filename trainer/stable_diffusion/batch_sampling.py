"""What a step of training draws at random: crops of latents, and times of the noise schedule."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.tiny_sizes import LATENT_SIZE, SD1_STEPS


@dataclass(frozen=True)
class Place:
    """Where a crop begins, in rows and columns of latent pixels."""

    top: int
    left: int


@dataclass(frozen=True)
class Box:
    """A part of an image in latent pixels, `bottom` and `right` excluded."""

    top: int
    left: int
    bottom: int
    right: int


def random_crop(
    latent: Tensor, box: Box | None = None, size: int = LATENT_SIZE
) -> tuple[Tensor, Place]:
    """A (4, size, size) part of a latent that shows as much of `box` as it can, and its place."""
    height, width = latent.shape[-2:]
    shown = box or Box(0, 0, height, width)
    top = _begin(height, shown.top, shown.bottom, size)
    left = _begin(width, shown.left, shown.right, size)
    return latent[:, top : top + size, left : left + size], Place(top, left)


def _begin(side: int, first: int, last: int, size: int) -> int:
    """A random begin of `size` within `side` that holds first..last, or lies within it."""
    ends = sorted((last - size, first))
    low, high = max(0, min(ends[0], side - size)), max(0, min(ends[1], side - size))
    return int(torch.randint(low, high + 1, ()))


def spread_times(count: int) -> Tensor:
    """`count` random steps from 0 to 999, one in each of `count` equal parts of the schedule."""
    return ((torch.arange(count) + torch.rand(count)) / count * SD1_STEPS).long()
