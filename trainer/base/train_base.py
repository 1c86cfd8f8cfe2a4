"""The training loop of the UNet and the text encoder."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import Tensor
from transformers import CLIPTokenizer

from ...core.tiny_sizes import Sizes
from .architecture import build_schedule
from .captions import captions
from .data import Entry
from .diffusion import (
    CHECKPOINT,
    Batch,
    Corpus,
    DiffusionOptions,
    Model,
    diffusion_loss,
    random_batch,
)
from .pictures import write_grid
from .sample import Networks, draw
from .training import (
    Average,
    Clock,
    cosine_rate,
    load_checkpoint,
    place,
    save_checkpoint,
    set_rate,
    stoppable,
)

log = logging.getLogger(__name__)
Gradients = tuple[float, tuple[Tensor, ...]]  # a loss, and its gradient for each parameter


def train_base(
    corpus: Corpus,
    begin: Callable[[Model], object],
    draw_samples: Callable[[Model, int], None],
    sizes: Sizes,
    options: DiffusionOptions,
    folder: Path,
) -> Model:
    """Train until the budget is spent, resuming what `folder` holds; returns the average.

    `begin` is called with a new model, `draw_samples` with the average and the step at each
    checkpoint.
    """
    model = Model(sizes).to(options.device)
    if not (folder / CHECKPOINT).exists():
        begin(model)
    average = deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(_groups(model), lr=options.rate, betas=(0.9, 0.99), fused=True)
    clock = Clock(options.steps, options.minutes)
    modules = {"model": model, "average": average}
    if (folder / CHECKPOINT).exists():
        load_checkpoint(folder / CHECKPOINT, modules, optimizer, clock)
    torch.manual_seed(clock.step)
    ema = Average(model, average, options.decay)
    alphas = build_schedule().alphas_cumprod.to(options.device)
    losses: deque[float] = deque(maxlen=100)

    def checkpoint() -> None:
        save_checkpoint(folder / CHECKPOINT, modules, optimizer, clock)
        draw_samples(average, clock.step)

    with stoppable(clock), ThreadPoolExecutor(options.workers) as workers:
        while not clock.over:
            set_rate(optimizer, cosine_rate(options.rate, clock.step, clock.progress, warmup=200))
            parts = random_batch(corpus, options).to(options.device).split(options.workers)
            find = partial(gradients, model, alphas=alphas, bf16=options.bf16)
            losses.append(train_step(model, optimizer, list(workers.map(find, parts))))
            ema.update(clock.step)
            clock.step += 1
            if clock.step % 100 == 0:
                mean = sum(losses) / len(losses)
                log.info("step %d, %.1f min, loss %.4f", clock.step, clock.elapsed, mean)
            if clock.step % options.every == 0:
                checkpoint()
    checkpoint()
    return average


def gradients(model: Model, batch: Batch, alphas: Tensor, bf16: bool) -> Gradients:
    """The loss of a batch, and its gradients in the order of the model's parameters."""
    loss = diffusion_loss(model, batch, alphas, bf16)
    return loss.item(), torch.autograd.grad(loss, list(model.parameters()))


def train_step(model: Model, optimizer: torch.optim.Optimizer, parts: Sequence[Gradients]) -> float:
    """One step along the mean of the parts' gradients; returns their mean loss."""
    for parameter, *found in zip(model.parameters(), *(part[1] for part in parts), strict=True):
        parameter.grad = found[0] if len(found) == 1 else torch.stack(found).mean(dim=0)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return sum(loss for loss, _ in parts) / len(parts)


def _groups(model: Model) -> list[dict[str, object]]:
    """Weight decay for matrices only; embeddings of words that never come must not shrink."""
    names = dict(model.named_parameters())
    decayed = [p for n, p in names.items() if p.ndim > 1 and "embedding" not in n]
    others = [p for n, p in names.items() if p.ndim <= 1 or "embedding" in n]
    return [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]


def sampler(
    tokenizer: CLIPTokenizer, vae: AutoencoderTiny, prompts: Sequence[str], folder: Path
) -> Callable[[Model, int], None]:
    """A function that draws `prompts` with a model into `folder`/<step>.png."""

    def draw_samples(model: Model, step: int) -> None:
        decoder = place(vae, next(model.parameters()).device)
        networks = Networks(tokenizer, model.text_encoder, model.unet, decoder)
        write_grid(folder / f"{step:07d}.png", draw(networks, prompts, seed=1), columns=8)

    return draw_samples


def watched_prompts(entries: Sequence[Entry], count: int = 16) -> list[str]:
    """Prompts of `count` classes, evenly chosen."""
    firsts = list({entry.label: captions(entry)[0] for entry in entries}.values())
    return [firsts[len(firsts) * i // count] for i in range(count)]
