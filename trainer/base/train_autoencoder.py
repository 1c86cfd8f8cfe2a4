"""The training loop of the autoencoder, on random crops of the pool."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn

from ...core.begun import Facts, Value, digest, with_version
from ...core.tiny_sizes import Sizes
from ..divergence import diverging
from ..imagenet import load_imagenet_net, perceptual_loss
from ..tensor_files import content_hash
from .autoencoder import (
    CHECKPOINT,
    DECODER,
    TrainableAutoencoder,
    calibrate,
    colour_loss,
    psnr,
    reconstruct,
    reconstruction_loss,
)
from .pictures import to_pixels, write_grid
from .training import (
    Clock,
    Gradients,
    advice,
    check_resumed,
    cosine_rate,
    gradients,
    load_checkpoint,
    place,
    save_checkpoint,
    set_rate,
    stoppable,
    train_step,
)

log = logging.getLogger(__name__)
COLOURED = 1 / 3  # of the budget: how long colours are held in channels of their own
SETTLED = 0.8  # of the budget: from then on the scale of the latents is that of whole images


@dataclass(frozen=True)
class AutoencoderOptions:
    """How to train. `noise` is the deviation of what is added to latents (whose own is 1).

    `perceptual` is the weight of what an ImageNet net sees beside the error of the pixels.
    `workers`: into how many parts a batch is split, as in DiffusionOptions.
    `decoder_only` leaves the latents as they are, for a base model that already learned them.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 8
    crop: int = 64
    rate: float = 1e-3
    noise: float = 0.05
    perceptual: float = 1.0
    workers: int = 1
    decoder_only: bool = False
    device: str = "cpu"
    bf16: bool = True
    every: int = 500
    seed: int = 0


def random_crops(images: Sequence[np.ndarray], size: int, batch: int, rng: np.random.Generator):
    """(batch, 3, size, size) float pixels from -1 to 1, each from a random image and place."""
    crops = [_random_crop(images[i], size, rng) for i in rng.integers(len(images), size=batch)]
    return to_pixels(torch.from_numpy(np.stack(crops)))


def _random_crop(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    top, left = (int(rng.integers(side - size + 1)) for side in image.shape[:2])
    crop = image[top : top + size, left : left + size]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def train_autoencoder(
    images: Sequence[np.ndarray],
    watched: Tensor,
    sizes: Sizes,
    options: AutoencoderOptions,
    folder: Path,
) -> AutoencoderTiny:
    """Train on random crops of `images` until the budget is spent, resuming what `folder` holds.

    A decoder trained alone has a checkpoint and a budget of its own. `watched` (n, 3, height,
    width) pixels are reconstructed into a picture beside the checkpoint, and their PSNR is logged,
    each time it is written. Raises InputError for a checkpoint that was begun otherwise, Diverged
    when the loss is no longer a number.
    """
    torch.manual_seed(options.seed)
    model = place(TrainableAutoencoder(sizes), options.device)
    path = folder / (DECODER if options.decoder_only else CHECKPOINT)
    if options.decoder_only:
        model.vae.encoder.requires_grad_(False)
        load_checkpoint(folder / CHECKPOINT, {"autoencoder": model})
    begun = _begun(images, sizes, options, model)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=options.rate, weight_decay=1e-3)
    clock = Clock(options.steps, options.minutes)
    if path.exists():
        check_resumed(path, begun)
        load_checkpoint(path, {"autoencoder": model}, optimizer, clock)
    eyes = place(load_imagenet_net(), options.device)
    torch.manual_seed(options.seed + clock.step)
    rng = np.random.default_rng([options.seed, clock.step])
    with stoppable(clock), ThreadPoolExecutor(options.workers) as workers:
        while not clock.over:
            if model.norm.training and (options.decoder_only or clock.progress > SETTLED):
                _settle(model, images, options)
            set_rate(optimizer, cosine_rate(options.rate, clock.step, clock.progress, warmup=100))
            crops = random_crops(images, options.crop, options.batch, rng).to(options.device)
            parts = crops.to(memory_format=torch.channels_last).chunk(options.workers)
            find = partial(_gradients, learning, model, eyes, options, clock.progress)
            with diverging(f"The training of {path}", clock.step, advice(path, options.rate)):
                loss = train_step(learning, optimizer, list(workers.map(find, parts)))
            clock.step += 1
            if clock.step % 50 == 0:
                log.info("step %d, %.1f min, loss %.4f", clock.step, clock.elapsed, loss)
            if clock.step % options.every == 0:
                _checkpoint(model, optimizer, clock, watched, path, begun)
    _checkpoint(model, optimizer, clock, watched, path, begun)
    return model.finished()


def _begun(
    images: Sequence[np.ndarray],
    sizes: Sizes,
    options: AutoencoderOptions,
    model: TrainableAutoencoder,
) -> Facts:
    """What decides each step; budgets may grow, and machines may change."""
    names = ("batch", "crop", "rate", "noise", "perceptual", "seed")
    facts: dict[str, Value] = {name: getattr(options, name) for name in names}
    if options.decoder_only:
        facts["autoencoder"] = digest([content_hash(model.state_dict())])
    facts["images"] = digest(image.tobytes() for image in images)
    return with_version({**facts, "sizes": str(sizes)})


def _settle(
    model: TrainableAutoencoder, images: Sequence[np.ndarray], options: AutoencoderOptions
) -> None:
    """From now on the scale of the latents stays; only a decoder that follows may still learn."""
    if not options.decoder_only:
        calibrate(model, images)
    model.norm.eval()


def _gradients(
    learning: Sequence[nn.Parameter],
    model: TrainableAutoencoder,
    eyes: EfficientNet,
    options: AutoencoderOptions,
    progress: float,
    wanted: Tensor,
) -> Gradients:
    with torch.autocast(wanted.device.type, torch.bfloat16, enabled=options.bf16):
        found, latents = model(wanted, options.noise)
        seen = perceptual_loss(eyes, found, wanted)
    loss = reconstruction_loss(found, wanted) + options.perceptual * seen
    if progress < COLOURED and not options.decoder_only:
        loss = loss + (1 - progress / COLOURED) * colour_loss(latents, wanted)
    return gradients(learning, loss)


def _checkpoint(
    model: TrainableAutoencoder,
    optimizer: torch.optim.Optimizer,
    clock: Clock,
    watched: Tensor,
    path: Path,
    begun: Facts,
) -> None:
    save_checkpoint(path, {"autoencoder": model}, optimizer, clock, begun)
    found = reconstruct(model.finished(), watched)
    write_grid(path.with_suffix(".png"), torch.cat([watched, found]), columns=len(watched))
    log.info("checkpoint at step %d: PSNR %.2f dB", clock.step, psnr(found, watched))
