"""The loop that base and ControlNet training share: batches, gradients, average, checkpoints."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from manyshot.core.begun import Facts, with_version
from manyshot.trainer.checkpoints import check_resumed, holds, load_checkpoint, save_checkpoint
from manyshot.trainer.divergence import diverging
from manyshot.trainer.training import (
    Average,
    Clock,
    advice,
    cosine_rate,
    gradients,
    seed_step,
    set_rate,
    stoppable,
    train_step,
)
from torch import Tensor, nn

from .diffusion import Batch, DiffusionOptions

log = logging.getLogger(__name__)


def run_loop(
    model: nn.Module,
    average: nn.Module,
    next_batch: Callable[[], Batch],
    loss: Callable[[Batch], Tensor],
    at_checkpoint: Callable[[int], None],
    options: DiffusionOptions,
    path: Path,
    begun: Facts,
    helpers: Mapping[str, nn.Module] | None = None,
) -> None:
    """Train `model` until the budget is spent, and hold its moving `average`.

    Both are resumed from the checkpoint `path` if it exists, and kept in it; `at_checkpoint` is
    then called with the step. `begun`: what is learned from. Raises InputError when the checkpoint
    was begun with something else, Diverged when the loss is no longer a number. `helpers`: modules
    that are trained and kept beside the model, by name, and have no average.
    """
    begun = with_version({**begun, **_deciding(options)})
    trained = nn.ModuleList([model, *(helpers or {}).values()])
    optimizer = torch.optim.AdamW(_groups(trained), lr=options.rate, betas=(0.9, 0.99), fused=True)
    clock = Clock(options.steps, options.minutes)
    modules = {"model": model, "average": average, **(helpers or {})}
    if path.exists():
        check_resumed(path, begun)
        present = {name: module for name, module in modules.items() if holds(path, name)}
        load_checkpoint(path, present, optimizer, clock)
    seed_step(options.seed, clock.step)
    learning = [p for p in trained.parameters() if p.requires_grad]
    ema, losses = Average(model, average, options.decay), deque[float](maxlen=100)

    def checkpoint() -> None:
        save_checkpoint(path, modules, optimizer, clock, begun)
        at_checkpoint(clock.step)

    with stoppable(clock), ThreadPoolExecutor(options.workers) as workers:
        while not clock.over:
            set_rate(optimizer, cosine_rate(options.rate, clock.step, clock.progress, warmup=200))
            parts = next_batch().to(options.device).split(options.workers)
            shares = list(workers.map(lambda shard: gradients(learning, loss(shard)), parts))
            with diverging(f"The training of {path}", clock.step, advice(path, options.rate)):
                losses.append(train_step(learning, optimizer, shares))
            ema.update(clock.step)
            clock.step += 1
            if clock.step % 100 == 0:
                mean = sum(losses) / len(losses)
                log.info("step %d, %.1f min, loss %.4f", clock.step, clock.elapsed, mean)
            if clock.step % options.every == 0:
                checkpoint()
    checkpoint()


def _deciding(options: DiffusionOptions) -> dict[str, float]:
    """What decides each step; budgets may grow, and machines may change."""
    names = ("batch", "rate", "decay", "dropped", "seed")
    alignment = {"alignment": options.alignment} if options.alignment else {}
    return {**{name: getattr(options, name) for name in names}, **alignment}


def _groups(model: nn.Module) -> list[dict[str, object]]:
    """Weight decay for matrices only, not for biases and norms."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.01},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
