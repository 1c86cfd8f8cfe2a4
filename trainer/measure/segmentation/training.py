"""The training loop of a segmenter, and what it finds in the test pairs."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer

from ....core.masks.codes import IGNORE
from ..learner import Options
from ..pixels.policies import seeded
from ..plans import Plan
from .counts import counted
from .memory import Memory
from .nets import Features, Parts
from .policies import augmented_pairs

AUGMENTING, TRAINING = 5, 7  # chances of these are apart from each other
SLOWER = 0.1  # a pretrained encoder's rate, of the decoder's
TESTED = 32  # pairs at once: what they take stays in a processor's cache
Tell = Callable[[int, int], None]
log = logging.getLogger(__name__)


def train(memory: Memory, plan: Plan, option: Options, tell: Tell = lambda step, of: None) -> Parts:
    """A fresh segmenter after all steps of a plan, in evaluation mode.

    Cross-entropy over the labelled pixels of each image, then the plan's weights; AdamW, the rate
    falling as a cosine (Loshchilov & Hutter 2017, equation 5). A pretrained encoder's batch
    normalisation keeps its statistics, which a few images would spoil.
    """
    count, side = len(plan.rows), memory.pairs.side
    with seeded(*plan.seed, TRAINING):
        parts = memory.net.make().to(memory.device)
        optimiser = _optimiser(parts, option, memory)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, count)
        parts.train()
        parts.encoder.train(not memory.pretrained)
        for step, (features, wanted, weights) in enumerate(_batches(memory, parts, plan), 1):
            loss = (weights * pixel_losses(parts.scores(features, side), wanted)).sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            tell(step, count)
            if step == count:
                log.debug("loss %.4f after %d steps", loss.item(), count)
    return parts.eval()


def _optimiser(parts: Parts, option: Options, memory: Memory) -> Optimizer:
    groups: list[dict[str, Any]] = [{"params": parts.decoder.parameters()}]
    if not memory.frozen:
        rate = option.rate * (SLOWER if memory.pretrained else 1)
        groups.append({"params": parts.encoder.parameters(), "lr": rate})
    return torch.optim.AdamW(groups, lr=option.rate, weight_decay=option.decay)


def _batches(memory: Memory, parts: Parts, plan: Plan) -> Iterator[tuple[Features, Tensor, Tensor]]:
    """For each step features, indices (batch, side, side) and the weights of the images."""
    for step, (rows, weights) in enumerate(zip(plan.rows, plan.weights, strict=True)):
        wanted = memory.masks(rows)
        if plan.noise is not None:
            wanted = np.where(plan.noise.at(rows.ravel()), IGNORE, wanted)
        if plan.policy == "none" and memory.frozen:
            features = memory.features(rows)
        else:
            images, seed = (
                memory.pairs.images[memory.pairs.image_of[rows]],
                (*plan.seed, AUGMENTING, step),
            )
            images, wanted = augmented_pairs(
                images, wanted, plan.policy, memory.pairs.background, *seed
            )
            features = memory.encoded(parts.encoder, images)
        target = torch.from_numpy(wanted).long().to(memory.device)
        yield features, target, torch.from_numpy(weights).float().to(memory.device)


def pixel_losses(scores: Tensor, wanted: Tensor) -> Tensor:
    """The mean cross-entropy of each image's labelled pixels (n); 0 where it has none."""
    losses = functional.cross_entropy(scores, wanted, ignore_index=IGNORE, reduction="none")
    labelled = (wanted != IGNORE).sum(dim=(1, 2)).clamp(min=1)
    return losses.sum(dim=(1, 2)) / labelled


@dataclass(frozen=True)
class Read:
    """What a segmenter makes of some pairs: class indices, and the loss of each pixel by the mask
    (0 where it is ignored), both (n, side, side); `wanted`: the mask's indices."""

    rows: np.ndarray
    found: np.ndarray
    wanted: np.ndarray
    losses: np.ndarray


@torch.inference_mode()
def read_pairs(memory: Memory, parts: Parts, rows: np.ndarray) -> Iterator[Read]:
    """What a segmenter makes of the pairs of `rows`, a few at once."""
    for start in range(0, len(rows), TESTED):
        part = rows[start : start + TESTED]
        wanted = memory.masks(part)
        scores = parts.scores(memory.seen_by(parts.encoder, part), memory.pairs.side)
        target = torch.from_numpy(wanted).long().to(memory.device)
        losses = functional.cross_entropy(scores, target, ignore_index=IGNORE, reduction="none")
        yield Read(part, best_classes(scores).cpu().numpy(), wanted, losses.cpu().numpy())


def best_classes(scores: Tensor) -> Tensor:
    """The class of the highest score (n, height, width), bytes; of equal ones the first.

    As `argmax(dim=1)`, which takes many times as long on a CPU.
    """
    best, found = scores[:, 0], torch.zeros_like(scores[:, 0], dtype=torch.uint8)
    for index in range(1, scores.shape[1]):
        higher = scores[:, index] > best
        best = torch.maximum(best, scores[:, index])
        found.masked_fill_(higher, index)
    return found


def tested(memory: Memory, parts: Parts, rows: np.ndarray) -> np.ndarray:
    """Counts (n, classes, columns) of what a segmenter finds in the pairs of `rows`."""
    classes = len(memory.pairs.code.classes)
    return np.concatenate(
        [
            counted(read.found, read.wanted, read.losses, classes, memory.bands(read.rows))
            for read in read_pairs(memory, parts, rows)
        ]
    )
