"""The training loop: a plan's steps on bytes in memory, augmented as they are taken."""

import logging
import os
from collections.abc import Callable, Iterator

import numpy as np
import timm.optim
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from ...device import precision
from ..learner import Options
from ..model import Model
from ..plans import Plan
from .classifier_nets import Net, resolve_device
from .image_augmentation import augment, fork_rng, mix
from .pixel_cache import Pixels

MOMENTUM = 0.9
LOGGED = 20  # steps between two figures of the log: reading one waits for the device
AUGMENTING, MIXING, TRAINING = 5, 6, 7  # chances of these are apart from each other
Tell = Callable[[int, int], None]  # told the steps taken, and of how many
log = logging.getLogger(__name__)


class Steps(Dataset[Tensor]):
    """The augmented bytes (batch, side, side, 3) of each step of a plan, whoever asks for them."""

    def __init__(self, images: np.ndarray, plan: Plan) -> None:
        self.images, self.plan = images, plan

    def __len__(self) -> int:
        return len(self.plan.rows)

    def __getitem__(self, step: int) -> Tensor:
        images, seed = self.images[self.plan.rows[step]], (*self.plan.seed, AUGMENTING, step)
        return torch.from_numpy(augment(images, self.plan.policy, *seed))


def batches(
    net: Net, pixels: Pixels, plan: Plan, classes: int, device: torch.device, workers: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """For each step pixels (batch, 3, side, side) and targets (batch, classes), in order.

    A target is the image's part in the loss, by class: all of a step add up to 1.
    """
    steps = Steps(pixels.read(plan.rows.ravel()), plan)
    pinned = device.type == "cuda"
    loader = DataLoader(steps, batch_size=None, num_workers=workers, pin_memory=pinned)
    for step, images in enumerate(loader):
        labels = torch.from_numpy(plan.labels[step])
        weights = torch.from_numpy(plan.weights[step]).float().to(device)
        inputs = net.normalise(images.to(device, non_blocking=True))
        inputs, shares = mix(inputs, plan.policy, *plan.seed, MIXING, step)
        targets = functional.one_hot(labels, classes).float().to(device)
        yield inputs, weights[:, None] * (shares @ targets)


def train(
    net: Net,
    pixels: Pixels,
    plan: Plan,
    option: Options,
    model: Model,
    classes: int,
    report_step: Tell = lambda step, of: None,
) -> nn.Module:
    """A fresh net after all steps of a plan, in evaluation mode.

    Cross-entropy with the plan's weights; SGD with momentum or AdamW, no decay of biases and
    norms, the rate falling as a cosine (Loshchilov & Hutter 2017, equation 5). Bit for bit the
    same on one CPU with as many threads.
    """
    device, count = resolve_device(model), len(plan.rows)
    with fork_rng(*plan.seed, TRAINING):
        module = net.make(classes).to(device)
        module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        optimiser = make_optimiser(module, option, model)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, count)
        module.train()
        batch_iterator = batches(net, pixels, plan, classes, device, _workers(model, device))
        for step, (inputs, targets) in enumerate(batch_iterator, 1):
            loss = descend(module, optimiser, inputs, targets, model.precision == "bfloat16")
            schedule.step()
            report_step(step, count)
            if step % LOGGED == 0 or step == count:
                log.debug("step %d of %d: loss %.4f", step, count, loss.item())
    return module.eval()


def _workers(model: Model, device: torch.device) -> int:
    if model.workers is not None:
        return model.workers
    return 0 if device.type == "cpu" else min(8, os.cpu_count() or 1)


def make_optimiser(module: nn.Module, option: Options, model: Model) -> Optimizer:
    """The optimiser of a recipe for all weights of a net."""
    name = "momentum" if model.optimiser == "sgd" else model.optimiser  # timm's "sgd" is Nesterov's
    return timm.optim.create_optimizer_v2(  # pyright: ignore[reportPrivateImportUsage]
        module, opt=name, lr=option.rate, weight_decay=option.decay, momentum=MOMENTUM
    )


def descend(
    module: nn.Module, optimiser: Optimizer, pixels: Tensor, targets: Tensor, half: bool
) -> Tensor:
    """One step; returns the loss, on the device."""
    with precision(pixels.device.type, half):
        scores = module(pixels)
    loss = -(targets * scores.float().log_softmax(dim=1)).sum()
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.detach()


def compute_scores(
    module: nn.Module, net: Net, pixels: Pixels, rows: np.ndarray, model: Model, batch: int = 128
) -> np.ndarray:
    """Logits (n, classes) of the images of `rows`; not finite after a training that diverged."""
    device, images = resolve_device(model), pixels.read(rows)
    half, scores = model.precision == "bfloat16", []
    with torch.inference_mode(), precision(device.type, half):
        for start in range(0, len(rows), batch):
            chunk = torch.from_numpy(images[rows[start : start + batch]]).to(device)
            scores.append(module(net.normalise(chunk)).float().cpu())
    return torch.cat(scores).numpy()
