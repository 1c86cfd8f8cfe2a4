"""The pool as latents in memory: encoded once, cropped anew each time."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file, save
from torch import Tensor

from ...core.files import write_whole
from ...core.tiny_sizes import DOWNSCALE, IMAGE_SIZE
from .pictures import to_pixels

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
) -> Latents:
    """Encode every image (height, width, 3) as it is and mirrored.

    The images are encoded whole, so that crops of the latents stand for crops of the images, at
    a hundredth of the cost; sides are cut to multiples of 8.
    """
    vae = vae.to(device, memory_format=torch.channels_last)
    values: list[Tensor] = [torch.empty(0)] * (2 * len(images))
    for rows in _same_sizes(images, batch=16):
        pixels = torch.stack([to_pixels(_whole_blocks(images[row])) for row in rows])
        pixels = torch.cat([pixels, pixels.flip(-1)]).to(device)
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            found = vae.encoder(pixels.contiguous(memory_format=torch.channels_last))
        for place, latent in zip([*rows, *(row + len(images) for row in rows)], found, strict=True):
            values[place] = latent.contiguous().half().cpu()
    return Latents(values, torch.arange(len(images)).repeat(2))


def cached_latents(
    folder: Path, vae: AutoencoderTiny, images: Sequence[np.ndarray], device: str, bf16: bool
) -> Latents:
    """`encode_images`, kept in `folder` under the autoencoder's hash for the next run."""
    path = folder / f"latents-{_fingerprint(vae)}.safetensors"
    count = 2 * len(images)
    if path.exists():
        stored = load_file(path)
        if len(stored) == count:
            values = [stored[str(i)] for i in range(count)]
            return Latents(values, torch.arange(len(images)).repeat(2))
    log.info("encoding %d images", len(images))
    found = encode_images(vae, images, device, bf16)
    write_whole(path, save({str(i): value for i, value in enumerate(found.values)}))
    return found


def _fingerprint(vae: AutoencoderTiny) -> str:
    digest = sha256()
    for value in vae.state_dict().values():
        digest.update(value.detach().cpu().numpy().tobytes())
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
