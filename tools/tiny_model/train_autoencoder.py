"""The training loop of the autoencoder, on random crops of the pool."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from manyshot.core.begun import Facts, Value, digest, with_version
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.checkpoints import check_resumed, holds, load_checkpoint, save_checkpoint
from manyshot.trainer.divergence import diverging
from manyshot.trainer.imagenet import load_imagenet_net
from manyshot.trainer.images import write_grid
from manyshot.trainer.tensor_files import content_hash
from manyshot.trainer.training import (
    Average,
    Clock,
    advice,
    cosine_rate,
    place,
    set_rate,
    stoppable,
)
from torch import Tensor

from .autoencoder import (
    CHECKPOINT,
    DECODER,
    TrainableAutoencoder,
    calibrate,
    load_trained,
    psnr,
    reconstruct,
)
from .autoencoder_batches import AutoencoderOptions, check_crop, random_parts
from .autoencoder_step import Stage, Trainees, find_lesson, take_step
from .discriminator import Discriminator

log = logging.getLogger(__name__)
SETTLED = 0.8  # of the budget: from then on the scale of the latents is that of whole images
BETAS = (0.5, 0.99)  # of Adam: a discriminator's old advice misleads


def train_autoencoder(
    images: Sequence[np.ndarray],
    watched: Tensor,
    sizes: Sizes,
    options: AutoencoderOptions,
    folder: Path,
) -> AutoencoderTiny:
    """Train on random crops of `images` until the budget is spent, resuming what `folder` holds.

    Returns the moving average. A decoder trained alone has a checkpoint and a budget of its own.
    Latents are normalised batch by batch, and at the end of the budget by whole images; imported
    weights give them normalised, and keep their scale until then. `watched` (n, 3, height, width)
    pixels are reconstructed into a picture beside the checkpoint, and their PSNR is logged, each
    time it is written. Raises InputError for crops that do not fit or a checkpoint that was begun
    otherwise, Diverged when a loss is no longer a number.
    """
    check_crop(images, options.crop)
    trainees = _begin(sizes, options, folder)
    begun = _start(images, sizes, options, trainees.model)
    groups = [{"params": trainees.learning()}, {"params": trainees.judging()}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=BETAS, weight_decay=1e-3)
    clock = Clock(options.steps, options.minutes)
    path = folder / (DECODER if options.decoder_only else CHECKPOINT)
    if path.exists():
        check_resumed(path, begun)
        _resume(path, trainees, optimizer, clock)
    perceptual_net = place(load_imagenet_net(), options.device)
    rng = np.random.default_rng([options.seed, clock.step])
    ema = Average(trainees.model, trainees.average, options.decay)
    trainees.model.norm.train(not (options.decoder_only or clock.before))
    settled = options.decoder_only
    with stoppable(clock), ThreadPoolExecutor(options.workers) as workers:
        while not clock.over:
            if not settled and clock.progress > SETTLED:
                calibrate(trainees.model, images)
                trainees.model.norm.eval()  # a decoder that follows may still learn
                settled = True
            set_rate(optimizer, cosine_rate(options.rate, clock.step, clock.progress, warmup=100))
            stage = Stage(clock.step, 1.0 if clock.before else clock.progress)
            learn = partial(find_lesson, trainees, perceptual_net, options, stage)
            lessons = list(workers.map(learn, random_parts(images, options, rng)))
            with diverging(f"The training of {path}", clock.step, advice(path, options.rate)):
                losses = take_step(trainees, optimizer, lessons)
            _log(clock, *losses)
            ema.update(clock.step)
            clock.step += 1
            if clock.step % options.every == 0:
                _checkpoint(trainees, optimizer, clock, watched, path, begun)
    _checkpoint(trainees, optimizer, clock, watched, path, begun)
    return trainees.average.finished()


def _begin(sizes: Sizes, options: AutoencoderOptions, folder: Path) -> Trainees:
    """Fresh weights of the seed; with `decoder_only` the autoencoder that `folder` holds."""
    torch.manual_seed(options.seed)
    model = TrainableAutoencoder(sizes)
    if options.decoder_only:
        model.vae.encoder.requires_grad_(False)
        load_trained(folder / CHECKPOINT, model)
    average = deepcopy(model).requires_grad_(False)
    return Trainees(
        place(model, options.device),
        place(average, options.device),
        place(Discriminator(), options.device),
    )


def _start(
    images: Sequence[np.ndarray],
    sizes: Sizes,
    options: AutoencoderOptions,
    model: TrainableAutoencoder,
) -> Facts:
    """What decides each step; budgets may grow, and machines may change."""
    names = ("batch", "crop", "rate", "noise", "perceptual", "adversarial", "decay", "seed")
    facts: dict[str, Value] = {name: getattr(options, name) for name in names}
    if options.decoder_only:
        facts["autoencoder"] = digest([content_hash(model.state_dict())])
    facts["images"] = digest(image.tobytes() for image in images)
    return with_version({**facts, "sizes": str(sizes)})


def _resume(path: Path, trainees: Trainees, optimizer: torch.optim.Optimizer, clock: Clock) -> None:
    """Go on with a checkpoint; an imported one holds neither average nor discriminator."""
    load_trained(path, trainees.average)
    available = {name: module for name, module in trainees.modules().items() if holds(path, name)}
    load_checkpoint(path, available, optimizer, clock)


def _log(clock: Clock, loss: float, mistakes: float) -> None:
    if clock.step % 50 == 49:
        message = "step %d, %.1f min, loss %.4f, discriminator %.4f"
        log.info(message, clock.step + 1, clock.elapsed, loss, mistakes)


def _checkpoint(
    trainees: Trainees,
    optimizer: torch.optim.Optimizer,
    clock: Clock,
    watched: Tensor,
    path: Path,
    begun: Facts,
) -> None:
    trainees.average.norm.load_state_dict(trainees.model.norm.state_dict())
    save_checkpoint(path, trainees.modules(), optimizer, clock, begun)
    output = reconstruct(trainees.average.finished(), watched)
    write_grid(path.with_suffix(".png"), torch.cat([watched, output]), columns=len(watched))
    log.info("checkpoint at step %d: PSNR %.2f dB", clock.step, psnr(output, watched))
