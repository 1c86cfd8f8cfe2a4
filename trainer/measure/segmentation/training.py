"""The training loop of a segmenter, and what it finds in the test pairs."""

import logging
from collections.abc import Callable, Iterator
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
TESTED = 64  # pairs at once
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
        wanted = memory.pairs.masks[memory.pairs.mask_of[rows]]
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


@torch.inference_mode()
def tested(memory: Memory, parts: Parts, rows: np.ndarray) -> np.ndarray:
    """Counts (n, classes, columns) of what a segmenter finds in the pairs of `rows`."""
    found = []
    for start in range(0, len(rows), TESTED):
        part = rows[start : start + TESTED]
        wanted = memory.pairs.masks[memory.pairs.mask_of[part]]
        scores = parts.scores(memory.seen_by(parts.encoder, part), memory.pairs.side)
        target = torch.from_numpy(wanted).long().to(memory.device)
        losses = functional.cross_entropy(scores, target, ignore_index=IGNORE, reduction="none")
        indices = scores.argmax(dim=1).byte().cpu().numpy()
        found.append(counted(indices, wanted, losses.cpu().numpy(), len(memory.pairs.code.classes)))
    return np.concatenate(found)
