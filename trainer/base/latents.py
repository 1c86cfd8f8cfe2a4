"""The pool as latents in memory: encoded once, cropped anew each time."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from safetensors.torch import load_file, save
from torch import Tensor

from ...core.files import write_whole
from ...core.tiny_sizes import DOWNSCALE, IMAGE_SIZE
from .pictures import to_pixels
from .training import place

log = logging.getLogger(__name__)
LATENT_SIZE = IMAGE_SIZE // DOWNSCALE


@dataclass(frozen=True)
class Latents:
    """Whole images as latents (4, height, width), and for each the row of the image it shows."""

    values: list[Tensor]
    images: Tensor

    def crops(self, chosen: Tensor) -> Tensor:
        """Latents (n, 4, 16, 16) of the chosen values, each at a random place."""
        return torch.stack([random_crop(self.values[i]) for i in chosen.tolist()]).float()


def random_crop(latent: Tensor, size: int = LATENT_SIZE) -> Tensor:
    """A (4, size, size) part of a latent."""
    top, left = (int(torch.randint(side - size + 1, ())) for side in latent.shape[-2:])
    return latent[:, top : top + size, left : left + size]


@torch.no_grad()
def encode_images(
    vae: AutoencoderTiny, images: Sequence[np.ndarray], device: str, bf16: bool
) -> list[Tensor]:
    """The latents (4, height / 8, width / 8) of every image (height, width, 3), in half precision.

    The images are encoded whole, so that crops of the latents stand for crops of the images, at
    a hundredth of the cost; sides are cut to multiples of 8.
    """
    place(vae, device)
    values: list[Tensor] = [torch.empty(0)] * len(images)
    for rows in _same_sizes(images, batch=16):
        pixels = torch.stack([to_pixels(_whole_blocks(images[row])) for row in rows]).to(device)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
            found = vae.encoder(pixels.contiguous(memory_format=torch.channels_last))
        for row, latent in zip(rows, found, strict=True):
            values[row] = latent.contiguous().half().cpu()
    return values


def cached_latents(
    folder: Path,
    vae: AutoencoderTiny,
    images: Sequence[np.ndarray],
    mirrored: bool,
    device: str,
    bf16: bool,
) -> Latents:
    """The images' latents, with `mirrored` also those of their mirror images.

    They are kept in `folder`, under a name made from the autoencoder and the images.
    """
    count = len(images)
    if mirrored:
        images = [*images, *(image[:, ::-1] for image in images)]
    path = folder / f"latents-{_fingerprint(vae, images)}.safetensors"
    if not path.exists():
        log.info("encoding %d images", len(images))
        found = encode_images(vae, images, device, bf16)
        write_whole(path, save({str(i): value for i, value in enumerate(found)}))
    stored = load_file(path)
    values = [stored[str(i)] for i in range(len(images))]
    return Latents(values, torch.arange(len(images)) % count)


def _fingerprint(vae: AutoencoderTiny, images: Sequence[np.ndarray]) -> str:
    digest = sha256()
    for value in vae.encoder.state_dict().values():
        digest.update(value.detach().cpu().numpy().tobytes())
    for image in images:
        digest.update(image.tobytes())
    return digest.hexdigest()[:12]


def _whole_blocks(image: np.ndarray) -> Tensor:
    height, width = (side - side % DOWNSCALE for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return torch.from_numpy(image[top : top + height, left : left + width].copy())


def _same_sizes(images: Sequence[np.ndarray], batch: int) -> Iterator[list[int]]:
    """Rows of images in batches of one size after cutting."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for row, image in enumerate(images):
        sizes.setdefault(tuple(side // DOWNSCALE for side in image.shape[:2]), []).append(row)
    for rows in sizes.values():
        yield from (rows[i : i + batch] for i in range(0, len(rows), batch))
