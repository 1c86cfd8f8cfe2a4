"""The training loop of a ControlNet, on a frozen base."""

import logging
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from manyshot.core.begun import digest
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.checkpoints import load_checkpoint, read_facts
from manyshot.trainer.device import precision
from manyshot.trainer.images import write_grid
from manyshot.trainer.stable_diffusion.architecture import (
    build_controlnet,
    build_schedule,
    build_unet,
)
from manyshot.trainer.stable_diffusion.euler_sampling import Control, Networks, draw
from manyshot.trainer.stable_diffusion.tiny_checkpoint import NAME
from manyshot.trainer.tensor_files import content_hash
from torch import Tensor, nn

from .conditioning import cropper, give_hint, glimpses
from .diffusion import (
    Batch,
    Corpus,
    DiffusionOptions,
    add_noise,
    compute_weighted_error,
    random_batch,
)
from .export_checkpoint import original_tensors
from .export_controlnet import ControlNetFacts, Kind, export_controlnet
from .loop import run_loop

log = logging.getLogger(__name__)


def checkpoint_path(folder: Path, kind: Kind) -> Path:
    """Where a run's folder holds the ControlNet of a kind."""
    return folder / f"controlnet_{kind}.safetensors"


def train_controlnet(
    corpus: Corpus,
    images: Sequence[np.ndarray],
    unet: UNet2DConditionModel,
    draw_samples: Callable[[ControlNetModel, int], None],
    options: DiffusionOptions,
    path: Path,
) -> ControlNetModel:
    """Train until the budget is spent, resuming what `path` holds; returns the average.

    `images` (height, width, 3) are the control images of the corpus' latents, in their order.
    `draw_samples` is called with the average and the step at each checkpoint.
    """
    device = torch.device(options.device)
    begun = {
        "images and captions": corpus.digest,
        "control images": digest(image.tobytes() for image in images),
        "base": digest([content_hash(unet.state_dict())]),
    }
    nn.Module.to(unet.eval().requires_grad_(False), device)
    torch.manual_seed(options.seed)
    controlnet = build_controlnet(unet)
    hint = give_hint(controlnet)
    if path.exists():
        load_checkpoint(path, {"model": controlnet})  # its own fixed layers, for the glimpses
    nn.Module.to(controlnet, device)
    log.info("looking at %d control images", len(images))
    condition = cropper(glimpses(hint, images, options.workers))
    average = deepcopy(controlnet).eval().requires_grad_(False)
    alphas = build_schedule().alphas_cumprod.to(options.device)

    def loss(batch: Batch) -> Tensor:
        with precision(alphas.device.type, options.bf16):
            noise = predict_controlled_noise(unet, controlnet, batch, add_noise(batch, alphas))
        return compute_weighted_error(noise, batch, alphas)

    run_loop(
        controlnet,
        average,
        lambda: random_batch(corpus, options, condition),
        loss,
        lambda step: draw_samples(average, step),
        options,
        path,
        begun,
    )
    return average


def predict_controlled_noise(
    unet: UNet2DConditionModel, controlnet: ControlNetModel, batch: Batch, noisy: Tensor
) -> Tensor:
    """The noise (n, 4, 16, 16) that the UNet sees in `noisy` with the ControlNet's help."""
    down, middle = controlnet(noisy, batch.times, batch.text, batch.conditions, return_dict=False)
    return unet(
        noisy,
        batch.times,
        batch.text,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
    ).sample


def sampler(
    networks: Networks, prompts: list[str], images: Tensor, folder: Path
) -> Callable[[ControlNetModel, int], None]:
    """A function that draws `prompts` after `images` (n, 3, 128, 128) into `folder`/<step>.png."""

    def draw_samples(controlnet: ControlNetModel, step: int) -> None:
        pixels = draw(networks, prompts, seed=1, cfg=4.0, control=Control(controlnet, images))
        grid = torch.cat([images * 2 - 1, pixels])
        write_grid(folder / f"{step:07d}.png", grid, columns=len(images))

    return draw_samples


def load_trained_controlnet(folder: Path, kind: Kind, sizes: Sizes) -> ControlNetModel:
    """The averaged ControlNet of a run's folder. Raises InputError when there is none."""
    controlnet = build_controlnet(build_unet(sizes))
    load_checkpoint(checkpoint_path(folder, kind), {"average": controlnet})
    return controlnet.eval().requires_grad_(False)


def export_controlnets(
    target: Path, folder: Path, networks: Networks, sizes: Sizes
) -> Iterator[Path]:
    """Write each ControlNet that a run's folder holds into `target`, and name its file."""
    tensors = original_tensors(networks.unet, networks.text_encoder, networks.vae, sizes)
    for kind in get_args(Kind):
        if checkpoint_path(folder, kind).exists():
            training = read_facts(checkpoint_path(folder, kind))
            facts = ControlNetFacts(kind, content_hash(tensors), training)
            path = target / f"{NAME}-{kind}.safetensors"
            export_controlnet(path, load_trained_controlnet(folder, kind, sizes), sizes, facts)
            yield path
