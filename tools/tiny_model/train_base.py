"""The training loop of the UNet."""

import logging
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.device import precision
from manyshot.trainer.images import write_grid
from manyshot.trainer.stable_diffusion.architecture import build_schedule, build_unet
from manyshot.trainer.stable_diffusion.euler_sampling import Networks, draw
from torch import Tensor, nn

from .alignment import AlignedUNet, alignment_loss
from .corpus import Example
from .diffusion import (
    CHECKPOINT,
    Batch,
    Condition,
    Corpus,
    DiffusionOptions,
    add_noise,
    compute_weighted_error,
    random_batch,
)
from .loop import run_loop

log = logging.getLogger(__name__)


def train_base(
    corpus: Corpus,
    unet: UNet2DConditionModel,
    draw_samples: Callable[[UNet2DConditionModel, int], None],
    options: DiffusionOptions,
    folder: Path,
    features: Condition | None = None,
) -> UNet2DConditionModel:
    """Train until the budget is spent, resuming what `folder` holds; returns the average.

    `draw_samples` is called with the average and the step at each checkpoint. With
    `options.alignment` the UNet's middle also learns to predict an image net's `features` of crops.
    """
    average = deepcopy(unet).eval().requires_grad_(False)
    aligned = AlignedUNet(unet)
    for module in (aligned, average):
        nn.Module.to(module, torch.device(options.device))
    alphas = build_schedule().alphas_cumprod.to(options.device)

    def loss(batch: Batch) -> Tensor:
        with precision(alphas.device.type, options.bf16):
            noise, projected = aligned(add_noise(batch, alphas), batch.times, batch.text)
        error = compute_weighted_error(noise, batch, alphas)
        if batch.conditions is None:
            return error
        return error + options.alignment * alignment_loss(projected, batch.conditions)

    run_loop(
        unet,
        average,
        lambda: random_batch(corpus, options, features),
        loss,
        lambda step: draw_samples(average, step),
        options,
        folder / CHECKPOINT,
        {"images and captions": corpus.digest},
        {"projector": aligned.projector} if features else None,
    )
    return average


def fresh_unet(sizes: Sizes, seed: int) -> UNet2DConditionModel:
    """A UNet with the random weights of a seed."""
    torch.manual_seed(seed)
    return build_unet(sizes)


def sampler(
    networks: Networks, prompts: Sequence[str], folder: Path
) -> Callable[[UNet2DConditionModel, int], None]:
    """A function that draws `prompts` with a UNet into `folder`/<step>.png."""

    def draw_samples(unet: UNet2DConditionModel, step: int) -> None:
        drawing = Networks(networks.tokenizer, networks.text_encoder, unet, networks.vae)
        pixels = draw(drawing.on(str(unet.device)), prompts, seed=1, cfg=4.0)
        write_grid(folder / f"{step:07d}.png", pixels, columns=8)

    return draw_samples


def preview_prompts(examples: Sequence[Example], count: int = 16) -> list[str]:
    """The first captions of `count` of the examples, evenly chosen among their classes."""
    firsts = list(
        dict.fromkeys(example.captions[0].text for example in examples if example.species)
    )
    return [firsts[len(firsts) * i // count] for i in range(count)]
