"""The training loop of subjects: steps, validation, checkpoints, early stopping."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ...core.begun import Facts
from ..checkpoints import check_resumed, load_checkpoint, save_checkpoint
from ..device import precision
from ..divergence import check_number, diverging
from ..training import Average, Clock, cosine_rate, gradients, stoppable, train_step
from .adapted_model import AdaptedModel
from .machine import Machine, side_by_side
from .snapshots import ParameterSnapshot, swap_parameters
from .subject_settings import Settings
from .training_batches import (
    Batch,
    PromptEmbeddings,
    TrainingSet,
    batch_loss,
    sample_batch,
    validation_batch,
)

WARMUP = 20
ADVICE = "Train it again with a lower 'rate': a tenth, or leave it out for the default."


@dataclass(frozen=True)
class Validation:
    """The loss on held-out photos after a step, and the seconds trained until then."""

    step: int
    loss: float
    seconds: float


OnValidation = Callable[[Validation], None]
OnStep = Callable[[int], None]  # called with the number of steps; an exception ends the training


@dataclass(frozen=True)
class FitResult:
    """`step`: of the best weights; `steps`: taken, in `seconds`. `losses`: on held-out photos, by
    step."""

    step: int
    steps: int
    losses: dict[int, float]
    interrupted: bool
    seconds: float = 0.0


def fit(
    adapted: AdaptedModel,
    training_sets: Sequence[TrainingSet],
    held_out: TrainingSet | None,
    settings: Settings,
    machine: Machine,
    path: Path,
    begun: Facts,
    on_validation: OnValidation = lambda validation: None,
    on_step: OnStep = lambda step: None,
) -> FitResult:
    """Train until all steps are taken, or the held-out loss has not improved for `patience`
    validations.

    The weights are then set to the best ones; during `on_validation` they are those that were
    validated. Resumes from the checkpoint `path` if it exists, with the same steps as an
    uninterrupted run. Exceptions of `on_step` are raised after the state is saved. `begun`: the
    facts that decide the training. Raises InputError for a checkpoint of another training, Diverged
    when the loss is not finite.
    """
    run = _Fit(adapted, training_sets, held_out, settings, machine, path, begun, on_validation)
    with stoppable(run.clock), side_by_side(run.parts) as workers:
        if run.clock.step == 0:
            run.validate()
        while not run.clock.over and not run.stale:
            run.take_step(workers)
            if run.clock.step % settings.every == 0 or run.clock.over:
                run.validate()
            with run.save_on_error():
                on_step(run.clock.step)
    return run.restore_best()


def describe_training(path: Path, settings: Settings) -> str:
    """The name of a training run in messages."""
    name = path.name.split(".")[0]
    return f"The training of {name} ({settings.method}, rate {settings.rate:g})"


class _Fit:
    """A training run and its state."""

    def __init__(
        self,
        adapted: AdaptedModel,
        training_sets: Sequence[TrainingSet],
        held_out: TrainingSet | None,
        settings: Settings,
        machine: Machine,
        path: Path,
        begun: Facts,
        on_validation: OnValidation,
    ) -> None:
        self.adapted, self.training_sets, self.held_out = adapted, training_sets, held_out
        self.settings, self.machine, self.path = settings, machine, path
        self.begun, self.on_validation = begun, on_validation
        self.prompt_embeddings, self.clock = PromptEmbeddings(adapted), Clock(settings.steps, None)
        self.parts = machine.parts(settings.method)
        named = adapted.parameters
        self.learning = [parameter for group in named.values() for parameter in group]
        self.peaks = [settings.rates()[name] for name in named]
        self.optimizer = self._optimizer(named.values())
        validations = -(-settings.steps // settings.every) + 1
        # without held-out photos the last weights are the best
        self.best = ParameterSnapshot(self.learning if held_out else [], validations)
        self.mean = ParameterSnapshot(self.learning, 0) if settings.average else None
        self.modules: dict[str, nn.Module] = {
            "own": nn.ParameterList(self.learning),
            "best": self.best,
            **({"mean": self.mean} if self.mean else {}),
        }
        if path.exists():
            check_resumed(path, begun)
            load_checkpoint(path, self.modules, self.optimizer, self.clock)

    def _optimizer(self, parameters: Iterable[list[nn.Parameter]]) -> torch.optim.Optimizer:
        decay = 1e-2 if self.settings.method == "dreambooth" else 0.0
        groups = [{"params": group, "lr": 0.0} for group in parameters]
        return torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=decay, fused=True)

    @property
    def stale(self) -> bool:
        """Whether the held-out loss has not improved for `patience` validations."""
        waited = self.clock.step - int(self.best.step)
        return waited >= self.settings.patience * self.settings.every

    def take_step(self, workers: ThreadPoolExecutor) -> None:
        """One optimiser step, seeded by the seed and the step's number."""
        torch.manual_seed(self.settings.seed * 1_000_003 + self.clock.step + 1)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = cosine_rate(peak, self.clock.step, self.clock.progress, WARMUP)
        batch = sample_batch(self.training_sets, self.settings.batch, self.adapted.base.size)
        shards = batch.split(self.parts)
        shares = [len(shard.times) * len(shards) / len(batch.times) for shard in shards]
        shard_gradients = workers.map(self._gradients, shards, shares)
        with self._diverging():
            train_step(self.learning, self.optimizer, list(shard_gradients))
        self.clock.step += 1
        if self.mean and self.settings.average:
            values = nn.ParameterList(self.learning)
            Average(values, self.mean.values, self.settings.average).update(self.clock.step)

    def _gradients(self, shard: Batch, share: float) -> tuple[float, tuple[torch.Tensor, ...]]:
        return gradients(self.learning, self._loss(shard) * share)

    def _loss(self, batch: Batch) -> torch.Tensor:
        device = self.machine.device.split(":")[0]
        with precision(device, self.machine.bf16):
            return batch_loss(self.adapted, self.prompt_embeddings, batch, self.settings.snr_gamma)

    def validate(self) -> None:
        """Compute the held-out loss, keep the best weights, and save the state."""
        values = list(self.mean.values) if self.mean else self.learning
        with self._diverging():
            loss = self._validation_loss(values)
            check_number(loss, "loss of the held-out photos")
        place = min(-(-self.clock.step // self.settings.every), len(self.best.losses) - 1)
        self.best.losses[place] = loss
        trained = self.best.losses[1:]  # the untrained base is no candidate, however well it does
        if self.clock.step and (self.held_out is None or loss <= float(trained.min())):
            self.best.store(values if self.held_out else [])
            self.best.step.fill_(self.clock.step)
        with self._diverging(), self._using(values):
            self.on_validation(Validation(self.clock.step, loss, self._seconds))
        self._save()

    def _diverging(self) -> AbstractContextManager[None]:
        return diverging(describe_training(self.path, self.settings), self.clock.step, ADVICE)

    @contextmanager
    def save_on_error(self) -> Iterator[None]:
        """Save the state before passing on any exception of the block."""
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

    def _validation_loss(self, values: Sequence[nn.Parameter]) -> float:
        if self.held_out is None:
            return 0.0
        torch.manual_seed(self.settings.seed)
        batch = validation_batch(self.held_out, self.adapted.base.size)
        with torch.no_grad(), self._using(values):
            return float(self._loss(batch))

    def _using(self, values: Sequence[nn.Parameter]) -> AbstractContextManager[None]:
        return swap_parameters(self.learning, values) if self.mean else nullcontext()

    def restore_best(self) -> FitResult:
        """Set the weights to the best ones."""
        snapshot = self.best if self.held_out else self.mean
        if snapshot:
            snapshot.restore(self.learning)
        every, losses = self.settings.every, self.best.losses.tolist()
        losses_by_step = {
            place * every: loss for place, loss in enumerate(losses) if loss < float("inf")
        }
        stopped = self.clock.stopped
        return FitResult(
            int(self.best.step), self.clock.step, losses_by_step, stopped, self._seconds
        )
