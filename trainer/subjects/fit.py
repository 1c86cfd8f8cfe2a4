"""The training loop of subjects: steps, looks at held-out photos, checkpoints, the best kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ...core.begun import Facts
from ..base.checkpoints import check_resumed, load_checkpoint, save_checkpoint
from ..base.training import Average, Clock, cosine_rate, gradients, stoppable, train_step
from ..device import precision
from ..divergence import check_number, diverging
from .adapted import Adapted
from .kept import Kept, shown
from .lessons import Ears, Lesson, Step, look_step, random_step
from .loss import step_loss
from .machine import Machine, side_by_side
from .settings import Settings

WARMUP = 20
ADVICE = "Train it again with a lower 'rate': a tenth, or leave it out for the usual one."


@dataclass(frozen=True)
class Look:
    """A look at the held-out photos: after which step and how many seconds, and the loss."""

    step: int
    loss: float
    seconds: float


Looked = Callable[[Look], None]
Stepped = Callable[[int], None]  # told how many steps are taken; what it raises ends the training


@dataclass(frozen=True)
class Fitted:
    """`step`: of the values kept; `steps`: taken, in `seconds`. `losses`: held-out, by the step of
    each look."""

    step: int
    steps: int
    losses: dict[int, float]
    interrupted: bool
    seconds: float = 0.0


def fit(
    adapted: Adapted,
    lessons: Sequence[Lesson],
    held_out: Lesson | None,
    settings: Settings,
    machine: Machine,
    path: Path,
    begun: Facts,
    looked: Looked = lambda look: None,
    stepped: Stepped = lambda step: None,
) -> Fitted:
    """Train until the steps are taken, or held-out photos are no better for `patience` looks.

    What learns is then set to its best; while `looked` is told, to what that look was at. Resumed
    from the checkpoint `path` if there is one; the same steps then follow as without an
    interruption. What `stepped` raises is raised here after the training is saved. `begun`: what
    decides the training. Raises InputError for a checkpoint that was begun otherwise, Diverged when
    the loss is no longer a number.
    """
    run = _Run(adapted, lessons, held_out, settings, machine, path, begun, looked)
    with stoppable(run.clock), side_by_side(run.parts) as workers:
        if run.clock.step == 0:
            run.look()
        while not run.clock.over and not run.stale:
            run.take_step(workers)
            if run.clock.step % settings.every == 0 or run.clock.over:
                run.look()
            with run.saved():
                stepped(run.clock.step)
    return run.finished()


def training_of(path: Path, settings: Settings) -> str:
    """What messages call a training."""
    name = path.name.split(".")[0]
    return f"The training of {name} ({settings.method}, rate {settings.rate:g})"


class _Run:
    """One training, and what it has come to."""

    def __init__(
        self,
        adapted: Adapted,
        lessons: Sequence[Lesson],
        held_out: Lesson | None,
        settings: Settings,
        machine: Machine,
        path: Path,
        begun: Facts,
        looked: Looked,
    ) -> None:
        self.adapted, self.lessons, self.held_out = adapted, lessons, held_out
        self.settings, self.machine, self.path = settings, machine, path
        self.begun, self.looked = begun, looked
        self.ears, self.clock = Ears(adapted), Clock(settings.steps, None)
        self.parts = machine.parts(settings.method)
        named = adapted.parameters
        self.learning = [parameter for group in named.values() for parameter in group]
        self.peaks = [settings.rates()[name] for name in named]
        self.optimizer = self._optimizer(named.values())
        looks = -(-settings.steps // settings.every) + 1
        self.best = Kept(self.learning if held_out else [], looks)  # without one the last is best
        self.mean = Kept(self.learning, 0) if settings.average else None
        self.modules: dict[str, nn.Module] = {
            "own": nn.ParameterList(self.learning),
            "best": self.best,
            **({"mean": self.mean} if self.mean else {}),
        }
        if path.exists():
            check_resumed(path, begun)
            load_checkpoint(path, self.modules, self.optimizer, self.clock)

    def _optimizer(self, groups: Iterable[list[nn.Parameter]]) -> torch.optim.Optimizer:
        decay = 1e-2 if self.settings.method == "dreambooth" else 0.0
        own = [{"params": group, "lr": 0.0} for group in groups]
        return torch.optim.AdamW(own, betas=(0.9, 0.99), weight_decay=decay, fused=True)

    @property
    def stale(self) -> bool:
        """Whether the held-out photos have not looked better for too long."""
        waited = self.clock.step - int(self.best.step)
        return waited >= self.settings.patience * self.settings.every

    def take_step(self, workers: ThreadPoolExecutor) -> None:
        """One optimiser step; what is random in it follows from the seed and its number."""
        torch.manual_seed(self.settings.seed * 1_000_003 + self.clock.step + 1)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = cosine_rate(peak, self.clock.step, self.clock.progress, WARMUP)
        step = random_step(self.lessons, self.settings.batch, self.adapted.base.size)
        parts = step.split(self.parts)
        shares = [len(part.times) * len(parts) / len(step.times) for part in parts]
        found = workers.map(self._gradients, parts, shares)
        with self._diverging():
            train_step(self.learning, self.optimizer, list(found))
        self.clock.step += 1
        if self.mean and self.settings.average:
            values = nn.ParameterList(self.learning)
            Average(values, self.mean.values, self.settings.average).update(self.clock.step)

    def _gradients(self, part: Step, share: float) -> tuple[float, tuple[torch.Tensor, ...]]:
        return gradients(self.learning, self._loss(part) * share)

    def _loss(self, step: Step) -> torch.Tensor:
        device = self.machine.device.split(":")[0]
        with precision(device, self.machine.bf16):
            return step_loss(self.adapted, self.ears, step, self.settings.snr_gamma)

    def look(self) -> None:
        """Look at the held-out photos, keep what is best so far, and save."""
        values = list(self.mean.values) if self.mean else self.learning
        with self._diverging():
            loss = self._held_out_loss(values)
            check_number(loss, "loss of the held-out photos")
        place = min(-(-self.clock.step // self.settings.every), len(self.best.losses) - 1)
        self.best.losses[place] = loss
        trained = self.best.losses[1:]  # the base as it was is no subject, however well it does
        if self.clock.step and (self.held_out is None or loss <= float(trained.min())):
            self.best.take(values if self.held_out else [])
            self.best.step.fill_(self.clock.step)
        with self._diverging(), self._shown(values):
            self.looked(Look(self.clock.step, loss, self._seconds))
        self._save()

    def _diverging(self) -> AbstractContextManager[None]:
        return diverging(training_of(self.path, self.settings), self.clock.step, ADVICE)

    @contextmanager
    def saved(self) -> Iterator[None]:
        """What is raised in the block passes on when the training is saved."""
        try:
            yield
        except BaseException:
            self._save()
            raise

    def _save(self) -> None:
        save_checkpoint(self.path, self.modules, self.optimizer, self.clock, self.begun)

    @property
    def _seconds(self) -> float:
        return round(60 * self.clock.elapsed, 1)

    def _held_out_loss(self, values: Sequence[nn.Parameter]) -> float:
        if self.held_out is None:
            return 0.0
        torch.manual_seed(self.settings.seed)
        step = look_step(self.held_out, self.adapted.base.size)
        with torch.no_grad(), self._shown(values):
            return float(self._loss(step))

    def _shown(self, values: Sequence[nn.Parameter]) -> AbstractContextManager[None]:
        return shown(self.learning, values) if self.mean else nullcontext()

    def finished(self) -> Fitted:
        """What learns is set to its best."""
        kept = self.best if self.held_out else self.mean
        if kept:
            kept.give(self.learning)
        every, losses = self.settings.every, self.best.losses.tolist()
        known = {place * every: loss for place, loss in enumerate(losses) if loss < float("inf")}
        stopped = self.clock.stopped
        return Fitted(int(self.best.step), self.clock.step, known, stopped, self._seconds)
