"""The pool as latents in memory: encoded once, cropped anew each time."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from manyshot.core.tiny_sizes import DOWNSCALE
from manyshot.trainer.device import precision
from manyshot.trainer.images import to_pixels
from manyshot.trainer.stable_diffusion.batch_sampling import Box
from manyshot.trainer.tensor_files import write_tensors
from manyshot.trainer.training import place
from safetensors.torch import load_file
from torch import Tensor

from .captions import BACKGROUND
from .photo_data import pixel_hash

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Latents:
    """Whole images as latents (4, height, width); crops show the box of each, if it has one."""

    values: list[Tensor]
    boxes: list[Box | None]


def pet_box(trimap: np.ndarray) -> Box | None:
    """The pet and its border in latent pixels of the image `trimap` (height, width) belongs to."""
    rows, columns = np.nonzero(whole_blocks(trimap) != BACKGROUND)
    if not len(rows):
        return None
    return Box(
        int(rows.min()) // DOWNSCALE,
        int(columns.min()) // DOWNSCALE,
        -(-(int(rows.max()) + 1) // DOWNSCALE),
        -(-(int(columns.max()) + 1) // DOWNSCALE),
    )


def encode_images(
    vae: AutoencoderTiny, images: Sequence[np.ndarray], device: str, bf16: bool, workers: int = 1
) -> list[Tensor]:
    """The latents (4, height / 8, width / 8) of every image (height, width, 3), in half precision.

    The images are encoded whole, so that crops of the latents stand for crops of the images, at
    a hundredth of the cost; sides are cut to multiples of 8. `workers` batches at a time.
    """
    place(vae, device)
    values: list[Tensor] = [torch.empty(0)] * len(images)

    def encode(rows: list[int]) -> None:
        blocks = [torch.from_numpy(whole_blocks(images[row]).copy()) for row in rows]
        pixels = torch.stack([to_pixels(block) for block in blocks]).to(device)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), precision(pixels.device.type, bf16):
            encoded = vae.encoder(pixels)
        for row, latent in zip(rows, encoded, strict=True):
            values[row] = latent.contiguous().half().cpu()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(encode, _same_sizes(images, batch=16)))
    return [value.clone() for value in values]  # out of inference mode


def cache_latents(
    folder: Path,
    vae: AutoencoderTiny,
    images: Sequence[np.ndarray],
    device: str,
    bf16: bool,
    workers: int = 1,
) -> list[Tensor]:
    """The images' latents; those that an earlier call encoded are read from `folder`.

    There they lie in one file for each encoder, under hashes of the images.
    """
    path = folder / f"latents-{_encoder_hash(vae)}.safetensors"
    stored = load_file(path) if path.exists() else {}
    keys = [pixel_hash(image) for image in images]
    missing = {key: image for key, image in zip(keys, images, strict=True) if key not in stored}
    if missing:
        log.info("encoding %d images", len(missing))
        encoded = encode_images(vae, list(missing.values()), device, bf16, workers)
        stored |= dict(zip(missing, encoded, strict=True))
        write_tensors(path, stored)
    return [stored[key] for key in keys]


def _encoder_hash(vae: AutoencoderTiny) -> str:
    digest = sha256()
    for value in vae.encoder.state_dict().values():
        digest.update(value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def whole_blocks(image: np.ndarray) -> np.ndarray:
    """The middle of an image (height, width, …) whose sides are multiples of 8."""
    height, width = (side - side % DOWNSCALE for side in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def _same_sizes(images: Sequence[np.ndarray], batch: int) -> Iterator[list[int]]:
    """Rows of images in batches of one size after cutting."""
    sizes: dict[tuple[int, ...], list[int]] = {}
    for row, image in enumerate(images):
        sizes.setdefault(tuple(side // DOWNSCALE for side in image.shape[:2]), []).append(row)
    for rows in sizes.values():
        yield from (rows[i : i + batch] for i in range(0, len(rows), batch))
