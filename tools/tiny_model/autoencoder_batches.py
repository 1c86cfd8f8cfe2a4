"""What a step of the autoencoder's training sees, and the options that decide it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from manyshot.core.errors import InputError
from manyshot.core.tiny_sizes import DOWNSCALE, LATENT_CHANNELS
from manyshot.trainer.images import to_pixels
from torch import Tensor


@dataclass(frozen=True)
class AutoencoderOptions:
    """How to train. `noise` is the deviation of what is added to latents (whose own is 1).

    `perceptual` and `adversarial` weigh what an ImageNet net sees and what a discriminator says
    beside the error of the pixels; `adversarial` 0 trains without a discriminator. `decay`: of the
    weights' moving average. `workers`: into how many parts a batch is split, as in
    DiffusionOptions. `decoder_only` leaves the latents as they are, for a base model that already
    learned them.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 8
    crop: int = 64
    rate: float = 1e-3
    noise: float = 0.05
    perceptual: float = 1.0
    adversarial: float = 0.0
    decay: float = 0.999
    workers: int = 1
    decoder_only: bool = False
    device: str = "cpu"
    bf16: bool = True
    every: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Part:
    """A part of a batch: pixels (n, 3, size, size) and noise (n, 4, size / 8, size / 8)."""

    pixels: Tensor
    noise: Tensor


def random_crops(
    images: Sequence[np.ndarray], size: int, batch: int, rng: np.random.Generator
) -> Tensor:
    """(batch, 3, size, size) float pixels from -1 to 1, each from a random image and place."""
    crops = [_random_crop(images[i], size, rng) for i in rng.integers(len(images), size=batch)]
    return to_pixels(torch.from_numpy(np.stack(crops)))


def _random_crop(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    top, left = (int(rng.integers(side - size + 1)) for side in image.shape[:2])
    crop = image[top : top + size, left : left + size]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def random_parts(
    images: Sequence[np.ndarray], options: AutoencoderOptions, rng: np.random.Generator
) -> list[Part]:
    """A random batch in up to `workers` parts, with all of its random numbers.

    The workers draw none themselves: the order in which threads run would decide who gets which.
    """
    pixels = random_crops(images, options.crop, options.batch, rng).to(options.device)
    side = options.crop // DOWNSCALE
    noise = rng.standard_normal((options.batch, LATENT_CHANNELS, side, side), np.float32)
    noises = torch.from_numpy(options.noise * noise).to(options.device)
    pairs = zip(pixels.chunk(options.workers), noises.chunk(options.workers), strict=True)
    return [Part(p.to(memory_format=torch.channels_last), n) for p, n in pairs]


def check_crop(images: Sequence[np.ndarray], crop: int) -> None:
    """Raises InputError for crops that no latent fits, or that are larger than an image."""
    smallest = min(min(image.shape[:2]) for image in images)
    if crop % DOWNSCALE or crop > smallest:
        raise InputError(
            f"Crops of {crop} pixels do not fit: use a multiple of {DOWNSCALE} up to "
            f"{smallest - smallest % DOWNSCALE}."
        )
