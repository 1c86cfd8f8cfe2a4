"""What both training loops share: how long to go on, the learning rate, and a step."""

import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ..core.endings import termination_signals
from ..core.errors import InputError
from .divergence import check_number

Gradients = tuple[float, tuple[Tensor, ...]]  # a loss, and its gradient for each parameter
Placed = TypeVar("Placed", bound=nn.Module)


@dataclass
class Clock:
    """Where a run stands in its budget of steps, of minutes, or of both (the first to be spent).

    `spent` carries the minutes of earlier runs, so that a resumed run keeps its schedule. `before`
    tells of the training, outside of this budget, of weights that were imported.
    """

    steps: int | None
    minutes: float | None
    step: int = 0
    spent: float = 0.0
    started: float = field(default_factory=time.monotonic)
    stopped: bool = False
    before: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.steps or self.minutes):
            raise InputError("Set an end for the training: a number of steps or minutes.")

    @property
    def elapsed(self) -> float:
        """Minutes of training so far, earlier runs included."""
        return self.spent + (time.monotonic() - self.started) / 60

    @property
    def progress(self) -> float:
        """Share of the budget that is spent, from 0 to 1."""
        by_steps = self.step / self.steps if self.steps else 0.0
        by_minutes = self.elapsed / self.minutes if self.minutes else 0.0
        return min(1.0, max(by_steps, by_minutes))

    @property
    def over(self) -> bool:
        """Whether the budget is spent, or the run was asked to stop."""
        return self.stopped or self.progress >= 1


@contextmanager
def stoppable(clock: Clock) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the loop after its present step, so that it is
    saved.

    In a thread of a server, which takes its signals itself, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        clock.stopped = True

    signals = (signal.SIGINT, *termination_signals())
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def place(module: Placed, device: str | torch.device) -> Placed:
    """Move a module to a device, its convolutions in the layout that is fastest there."""
    # torch's stubs leave memory_format out.
    nn.Module.to(module, torch.device(device), memory_format=torch.channels_last)  # pyright: ignore
    return module


def seed_step(seed: int, step: int) -> None:
    """Let PyTorch draw the random numbers of a seed from a step on.

    A run that goes on at a step draws others than those it began with.
    """
    torch.manual_seed(int(np.random.SeedSequence([seed, step]).generate_state(1)[0]))


def cosine_rate(peak: float, step: int, progress: float, warmup: int) -> float:
    """Linear warm-up over `warmup` steps, then half a cosine from `peak` down to zero."""
    return peak * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * progress))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the same learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def advice(path: Path, rate: float) -> str:
    """What to do when a base training diverged."""
    return f"Train again with a --rate below {rate:g}; remove {path} first, if it is there."


def gradients(parameters: Sequence[nn.Parameter], loss: Tensor) -> Gradients:
    """The value of a loss, and its gradient for each of the parameters."""
    return loss.item(), torch.autograd.grad(loss, parameters)


def train_step(
    parameters: Sequence[nn.Parameter],
    optimizer: torch.optim.Optimizer,
    parts: Sequence[Gradients],
) -> float:
    """One step along the mean of the parts' gradients; returns their mean loss.

    Raises Diverged, before anything is changed, when loss or gradients are not finite.
    """
    loss = set_gradients(parameters, parts)
    optimizer.step()
    return loss


def set_gradients(parameters: Sequence[nn.Parameter], parts: Sequence[Gradients]) -> float:
    """Give the parameters the mean of the parts' gradients, clipped to a norm of 1.

    Returns the parts' mean loss. Raises Diverged when loss or gradients are not finite.
    """
    for parameter, *shares in zip(parameters, *(share[1] for share in parts), strict=True):
        parameter.grad = reduce(torch.add, shares) / len(shares)
    mean = sum(loss for loss, _ in parts) / len(parts)
    check_number(mean)
    check_number(float(torch.nn.utils.clip_grad_norm_(parameters, 1.0)), "gradient")
    return mean


class Average:
    """Exponential moving average of modules' parameters, with a warm-up for short runs.

    The decay at step n is min(decay, (1 + n) / (10 + n)), as in TensorFlow's
    ExponentialMovingAverage(num_updates).
    """

    def __init__(self, source: nn.Module, target: nn.Module, decay: float) -> None:
        self.pairs = list(zip(target.parameters(), source.parameters(), strict=True))
        self.decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the present parameters."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for target, source in self.pairs:
            target.lerp_(source, 1 - decay)
