"""What both training loops share: how long to go on, the learning rate, and checkpoints."""

import json
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ...core.begun import Facts, check_begun
from ...core.errors import InputError
from ..divergence import check_number
from ..tensor_files import write_tensors

CLOCK, BEGUN = "clock", "begun"  # of a checkpoint's header
Gradients = tuple[float, tuple[Tensor, ...]]  # a loss, and its gradient for each parameter
Placed = TypeVar("Placed", bound=nn.Module)


@dataclass
class Clock:
    """Where a run stands in its budget of steps, of minutes, or of both (the first to be spent).

    `spent` carries the minutes of earlier runs, so that a resumed run keeps its schedule.
    """

    steps: int | None
    minutes: float | None
    step: int = 0
    spent: float = 0.0
    started: float = field(default_factory=time.monotonic)
    stopped: bool = False

    def __post_init__(self) -> None:
        if not (self.steps or self.minutes):
            raise InputError("Give the training an end: a number of steps, or of minutes.")

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
    """Ctrl-C and SIGTERM end the loop after its present step, so that it is saved.

    In a thread of a server, which takes its signals itself, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        clock.stopped = True

    signals = (signal.SIGINT, signal.SIGTERM)
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
    for parameter, *found in zip(parameters, *(part[1] for part in parts), strict=True):
        parameter.grad = found[0] if len(found) == 1 else reduce(torch.add, found).div_(len(found))
    mean = sum(loss for loss, _ in parts) / len(parts)
    check_number(mean)
    check_number(float(torch.nn.utils.clip_grad_norm_(parameters, 1.0)), "gradient")
    optimizer.step()
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


def save_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    clock: Clock,
    begun: Facts | None = None,
) -> None:
    """Write modules, optimiser state and clock into one safetensors file, whole or not at all.

    `begun`: what the training was begun with, for `check_resumed`.
    """
    tensors = {
        f"{name}.{key}": value.detach().cpu().contiguous()
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer.{index}.{key}"] = torch.as_tensor(value).cpu().contiguous()
    facts = json.dumps({"step": clock.step, "minutes": clock.elapsed})
    write_tensors(path, tensors, {CLOCK: facts, BEGUN: json.dumps(begun and dict(begun))})


def check_resumed(path: Path, begun: Facts) -> None:
    """Raises InputError when the training in the checkpoint `path` was begun with other facts."""
    check_begun(path, read_begun(path), begun)


def read_begun(path: Path) -> dict[str, Any] | None:
    """What a file says that it was begun with. Raises InputError for one that cannot be read."""
    return _metadata(path, BEGUN)


def read_facts(path: Path) -> dict[str, float]:
    """How far a checkpoint's training went: {"step": …, "minutes": …}. Raises InputError."""
    if not path.is_file():
        raise InputError(f"The checkpoint {path} does not exist: train it first.")
    facts = _metadata(path, CLOCK)
    if facts is None:
        raise InputError(f"{path} is not the checkpoint of a training.")
    return facts


def _metadata(path: Path, key: str) -> dict[str, Any] | None:
    """A value of a checkpoint's header. Raises InputError for a file that cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return json.loads((file.metadata() or {}).get(key, "null"))
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"The checkpoint {path} cannot be read: {error}. Remove it.") from None


def load_checkpoint(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer | None = None,
    clock: Clock | None = None,
) -> None:
    """Fill modules, and optimiser and clock where given, from `save_checkpoint`'s file.

    Raises InputError when the file is missing or of other sizes than the modules.
    """
    facts = read_facts(path)
    tensors = load_file(path)
    for name, module in modules.items():
        try:
            module.load_state_dict(_under(tensors, f"{name}."))
        except RuntimeError as error:
            cause = str(error).splitlines()[-1].strip()
            raise InputError(f"{path} does not fit this model ({name}): {cause}") from None
    if optimizer is not None:
        _load_optimizer(optimizer, _under(tensors, "optimizer."))
    if clock is not None:
        clock.step, clock.spent = int(facts["step"]), facts["minutes"]
        clock.started = time.monotonic()


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        states.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
