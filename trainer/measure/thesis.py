"""The thesis protocol: as published, for a named reproduction, with what it leaves uncontrolled.

SGD at 1e-3 without momentum, schedule or weight decay, batches of 16, at most 55 epochs, stopped
when the accuracy on half of the test split has not risen for 5 epochs; the other half is the test.
An arm with more images takes more steps in an epoch, so that its gain is images and steps in one;
`train_steps` trains real only for as many steps. Where features are given, what the thesis did to
pixels and to batch normalisation does not apply.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...core.errors import InputError
from .added import Labelled
from .example_table import Table
from .head import Heads, descend

RATE, BATCH, EPOCHS, PATIENCE = 1e-3, 16, 55, 5
DIFFERS = (
    "Thesis protocol on frozen features: the backbone is not the thesis's ResNet-34; features of "
    "unit length are scaled to that net's usual length; images are not augmented and batch "
    "normalisation does not run in training mode."
)


@dataclass(frozen=True)
class Trained:
    """Heads of r runs, and the steps that each of them took."""

    heads: Heads
    steps: np.ndarray


def halves(table: Table, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The test split in two, class by class: rows to stop by, and rows to be tested on.

    Raises InputError for a class with fewer than two test images.
    """
    for name, count in zip(table.classes, np.bincount(table.labels[table.test]), strict=True):
        if count < 2:
            raise InputError(
                f"The thesis protocol halves the test split, but {name!r} has {count} image "
                "in it. Add some, or use the fair protocol."
            )
    rng = np.random.default_rng(seed)
    groups = [rng.permutation(table.of_class(table.test, c)) for c in range(len(table.classes))]
    stopping = np.concatenate([group[: len(group) // 2] for group in groups])
    return stopping, np.concatenate([group[len(group) // 2 :] for group in groups])


def thesis_features(features: np.ndarray) -> Tensor:
    """Features (n, d) with rows of length sqrt(d), as pooled ones of a ResNet roughly have."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    rows = features / np.maximum(lengths, 1e-12) * np.sqrt(features.shape[1])
    return torch.from_numpy(rows.astype(np.float32))


def train_early_stopping(
    features: Tensor,
    sets: Sequence[Labelled],
    classes: int,
    stopping: tuple[np.ndarray, np.ndarray],
    seeds: Sequence[list[int]],
) -> Trained:
    """Heads on `sets` (r, of one size), judged after each epoch on `stopping`: rows and labels."""
    rows, labels = features[torch.from_numpy(stopping[0])], torch.from_numpy(stopping[1])

    def accuracy(heads: Heads) -> np.ndarray:
        return (heads.scores(rows).argmax(dim=2) == labels).float().mean(dim=1).numpy()

    most = np.full(len(sets), EPOCHS * _steps_an_epoch(sets))
    return _train(features, sets, classes, most, seeds, accuracy)


def train_steps(
    features: Tensor,
    sets: Sequence[Labelled],
    classes: int,
    steps: np.ndarray,
    seeds: Sequence[list[int]],
) -> Trained:
    """Heads on `sets` after exactly so many `steps` (r), with nothing to stop them."""
    return _train(features, sets, classes, steps, seeds, None)


def _train(
    features: Tensor,
    sets: Sequence[Labelled],
    classes: int,
    most: np.ndarray,
    seeds: Sequence[list[int]],
    judge: Callable[[Heads], np.ndarray] | None,
) -> Trained:
    heads = _like_torch(seeds, features.shape[1], classes)
    steps = np.zeros(len(sets), int)
    best, waited = np.zeros(len(sets)), np.zeros(len(sets), int)
    generators = [np.random.default_rng([*seed, 5]) for seed in seeds]
    going = steps < most
    while going.any():
        steps += _epoch(heads, features, sets, generators, np.where(going, most - steps, 0))
        if judge:
            scores = judge(heads)
            waited = np.where(scores > best, 0, waited + 1)
            best = np.maximum(best, scores)
        going &= (steps < most) & (waited < PATIENCE)
    return Trained(heads, steps)


def _like_torch(seeds: Sequence[list[int]], width: int, classes: int) -> Heads:
    """Random heads as torch.nn.Linear begins: uniform within 1 / sqrt(width), bias as well."""
    heads = Heads.zeros(len(seeds), width, classes)
    for run, seed in enumerate(seeds):
        rng, bound = np.random.default_rng([*seed, 6]), 1 / np.sqrt(width)
        heads.weight[run] = torch.from_numpy(rng.uniform(-bound, bound, (width, classes)))
        heads.bias[run] = torch.from_numpy(rng.uniform(-bound, bound, classes))
    return heads


def _epoch(
    heads: Heads,
    features: Tensor,
    sets: Sequence[Labelled],
    generators: Sequence[np.random.Generator],
    remaining: np.ndarray,
) -> np.ndarray:
    """One pass over all images in a new order; returns the steps taken, at most `left` (r)."""
    steps, size = _steps_an_epoch(sets), len(sets[0].rows)
    orders = np.stack([rng.permutation(size) for rng in generators])
    rows = np.stack([s.rows[order] for s, order in zip(sets, orders, strict=True)])
    labels = np.stack([s.labels[order] for s, order in zip(sets, orders, strict=True)])
    for step in range(steps):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        chosen = torch.from_numpy(rows[:, batch])
        rate = torch.from_numpy(np.where(step < remaining, RATE, 0).astype(np.float32))
        weights = torch.full(chosen.shape, 1 / chosen.shape[1])
        none = torch.zeros(len(sets))
        targets = torch.from_numpy(labels[:, batch])
        descend(heads, features[chosen], targets, weights, rate, none, 0.0)
    return np.minimum(steps, remaining)


def _steps_an_epoch(sets: Sequence[Labelled]) -> int:
    return -(-len(sets[0].rows) // BATCH)
