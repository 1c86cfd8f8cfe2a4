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

from ....core.masks.label_mask import IGNORE
from ..learner import Options
from ..pixels.image_augmentation import fork_rng
from ..plans import Plan
from .pair_augmentation import augment_pairs
from .pair_cache import EncoderCache
from .segmentation_metrics import count_pixels
from .segmentation_nets import Features, Parts

AUGMENTING, TRAINING = 5, 7  # chances of these are apart from each other
SLOWER = 0.1  # a pretrained encoder's rate, of the decoder's
TESTED = 32  # pairs at once: what they take stays in a processor's cache
Tell = Callable[[int, int], None]
log = logging.getLogger(__name__)


def train(
    cache: EncoderCache, plan: Plan, option: Options, report_step: Tell = lambda step, of: None
) -> Parts:
    """A fresh segmenter after all steps of a plan, in evaluation mode.

    Cross-entropy over the labelled pixels of each image, then the plan's weights; AdamW, the rate
    falling as a cosine (Loshchilov & Hutter 2017, equation 5). A pretrained encoder's batch
    normalisation keeps its statistics, which a few images would spoil.
    """
    count, side = len(plan.rows), cache.pairs.side
    with fork_rng(*plan.seed, TRAINING):
        networks = cache.net.make().to(cache.device)
        optimiser = _optimiser(networks, option, cache)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, count)
        networks.train()
        networks.encoder.train(not cache.pretrained)
        for step, (features, targets, weights) in enumerate(_batches(cache, networks, plan), 1):
            loss = (weights * pixel_losses(networks.scores(features, side), targets)).sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            report_step(step, count)
            if step == count:
                log.debug("loss %.4f after %d steps", loss.item(), count)
    return networks.eval()


def _optimiser(networks: Parts, option: Options, cache: EncoderCache) -> Optimizer:
    groups: list[dict[str, Any]] = [{"params": networks.decoder.parameters()}]
    if not cache.frozen:
        rate = option.rate * (SLOWER if cache.pretrained else 1)
        groups.append({"params": networks.encoder.parameters(), "lr": rate})
    return torch.optim.AdamW(groups, lr=option.rate, weight_decay=option.decay)


def _batches(
    cache: EncoderCache, networks: Parts, plan: Plan
) -> Iterator[tuple[Features, Tensor, Tensor]]:
    """For each step features, indices (batch, side, side) and the weights of the images."""
    for step, (rows, weights) in enumerate(zip(plan.rows, plan.weights, strict=True)):
        masks = cache.masks(rows)
        if plan.noise is not None:
            masks = np.where(plan.noise.at(rows.ravel()), IGNORE, masks)
        if plan.policy == "none" and cache.frozen:
            features = cache.features(rows)
        else:
            images, seed = (
                cache.pairs.images[cache.pairs.image_of[rows]],
                (*plan.seed, AUGMENTING, step),
            )
            images, masks = augment_pairs(images, masks, plan.policy, cache.pairs.background, *seed)
            features = cache.encode(networks.encoder, images)
        target = torch.from_numpy(masks).long().to(cache.device)
        yield features, target, torch.from_numpy(weights).float().to(cache.device)


def pixel_losses(scores: Tensor, targets: Tensor) -> Tensor:
    """The mean cross-entropy of each image's labelled pixels (n); 0 where it has none."""
    losses = functional.cross_entropy(scores, targets, ignore_index=IGNORE, reduction="none")
    labelled = (targets != IGNORE).sum(dim=(1, 2)).clamp(min=1)
    return losses.sum(dim=(1, 2)) / labelled


@dataclass(frozen=True)
class PairPrediction:
    """What a segmenter makes of some pairs: class indices, and the loss of each pixel by the mask
    (0 where it is ignored), both (n, side, side); `wanted`: the mask's indices."""

    rows: np.ndarray
    predicted: np.ndarray
    target: np.ndarray
    losses: np.ndarray


@torch.inference_mode()
def read_pairs(cache: EncoderCache, networks: Parts, rows: np.ndarray) -> Iterator[PairPrediction]:
    """What a segmenter makes of the pairs of `rows`, a few at once."""
    for start in range(0, len(rows), TESTED):
        chunk = rows[start : start + TESTED]
        masks = cache.masks(chunk)
        scores = networks.scores(cache.encode_rows(networks.encoder, chunk), cache.pairs.side)
        target = torch.from_numpy(masks).long().to(cache.device)
        losses = functional.cross_entropy(scores, target, ignore_index=IGNORE, reduction="none")
        yield PairPrediction(chunk, best_classes(scores).cpu().numpy(), masks, losses.cpu().numpy())


def best_classes(scores: Tensor) -> Tensor:
    """The class of the highest score (n, height, width), bytes; of equal ones the first.

    As `argmax(dim=1)`, which takes many times as long on a CPU.
    """
    best, classes = scores[:, 0], torch.zeros_like(scores[:, 0], dtype=torch.uint8)
    for index in range(1, scores.shape[1]):
        higher = scores[:, index] > best
        best = torch.maximum(best, scores[:, index])
        classes.masked_fill_(higher, index)
    return classes


def evaluate(cache: EncoderCache, networks: Parts, rows: np.ndarray) -> np.ndarray:
    """Counts (n, classes, columns) of what a segmenter finds in the pairs of `rows`."""
    classes = len(cache.pairs.code.classes)
    return np.concatenate(
        [
            count_pixels(read.predicted, read.target, read.losses, classes, cache.bands(read.rows))
            for read in read_pairs(cache, networks, rows)
        ]
    )
