"""The losses of a training as TensorBoard or Weights & Biases show them, beside the console's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

from ..core.extras import Extra, require

LogKind = Literal["tensorboard", "wandb"]
LogLoss = Callable[[str, int, float], None]  # the file's name, step, held-out loss
FOLDER = "logs"  # in the output
METRIC = "held-out loss"


@contextmanager
def open_log(kind: LogKind | None, output: Path) -> Iterator[LogLoss]:
    """What to call with each loss, for as long as the block lasts; each name is a run of its own.

    TensorBoard's files go to `output`/logs; `wandb` sends them where its login and WANDB_MODE say
    ("offline": into that folder alone). Raises InputError where the extra `logging` is missing.
    """
    if kind is None:
        yield lambda name, step, loss: None
        return
    require(f"`--log {kind}`", Extra.LOGGING)
    opener = {"tensorboard": _open_tensorboard, "wandb": _open_wandb}[kind]
    with ExitStack() as stack:
        run = cache(lambda name: stack.enter_context(opener(output / FOLDER, name)))
        yield lambda name, step, loss: run(name)(step, loss)


@contextmanager
def _open_tensorboard(folder: Path, name: str) -> Iterator[Callable[[int, float], None]]:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / name)) as writer:
        yield lambda step, loss: writer.add_scalar(METRIC, loss, step)


@contextmanager
def _open_wandb(folder: Path, name: str) -> Iterator[Callable[[int, float], None]]:
    import wandb

    folder.mkdir(parents=True, exist_ok=True)
    settings = wandb.Settings(save_code=False, disable_git=True)
    run = wandb.init(
        project="manyshot", name=name, dir=folder, reinit="create_new", settings=settings
    )
    with run:
        yield lambda step, loss: run.log({METRIC: loss}, step=step)
