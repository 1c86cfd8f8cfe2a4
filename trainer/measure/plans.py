"""Training plans: which image is seen at which step with which weight, for one run of an arm.

A plan is all that a run learns from, whatever learns: a head on features or a net on pixels. All
plans of a fair comparison have one shape, (steps, batch); only what stands in them differs.
"""

from dataclasses import dataclass, replace

import numpy as np

from .added import Labelled
from .arms import Arm
from .example_table import Table
from .noise_filter import Noise
from .policy import Policy


@dataclass(frozen=True)
class Plan:
    """`rows` of the table, their `labels`, and `weights` in the loss, each (steps, batch).

    The weights of a step add up to 1. `policy`: how the images are augmented. `seed`: of the draw
    and of the training; whatever else is random in a run follows from it. `noise`: parts of labels
    that are not learned from.
    """

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    policy: Policy = "none"
    seed: tuple[int, ...] = (0, 0)
    noise: Noise | None = None


@dataclass(frozen=True)
class Budget:
    """What every arm gets: optimiser steps, and images in each."""

    steps: int = 500
    batch: int = 64


def make_plan(
    table: Table,
    real: np.ndarray,
    added: Labelled,
    arm: Arm,
    budget: Budget,
    seed: list[int],
    noise: Noise | None = None,
) -> Plan:
    """The plan of one run from `real` rows and `added` images.

    `seed` is that of the draw and that of the training: arms of one seed are pairs. `noise`: of the
    added images, for arms that ignore it.
    """
    real_images = Labelled(real, table.labels[real])
    rng = np.random.default_rng([*seed, 1])
    plan = _plan_batches(real_images, added, arm, budget, rng)
    ignored = noise if arm.trust == "ignore" else None
    return replace(plan, policy=arm.policy, seed=tuple(seed), noise=ignored)


def _plan_batches(
    real: Labelled, added: Labelled, arm: Arm, budget: Budget, rng: np.random.Generator
) -> Plan:
    if arm.mixing == "weight" and len(added.rows):
        return _weight_halves(real, added, arm.used_share, budget, rng)
    order = _mix(real, added, arm, budget.steps * budget.batch, budget, rng)
    return _plan(order, np.full((budget.steps, budget.batch), 1 / budget.batch))


def _mix(
    real: Labelled, added: Labelled, arm: Arm, size: int, budget: Budget, rng: np.random.Generator
) -> Labelled:
    """The images of a run one after the other, `size` of them."""
    if not len(added.rows):
        return _stream(real, size, rng)
    if arm.mixing == "alone":
        return _stream(added, size, rng)
    if arm.mixing == "concatenate":
        return _stream(_concatenate(real, added), size, rng)
    if arm.mixing == "replace":
        return _replace_real(_stream(real, size, rng), added, arm.used_share, rng)
    first = round(arm.used_share * budget.steps) * budget.batch
    return _concatenate(_stream(added, first, rng), _stream(real, size - first, rng))


def _stream(images: Labelled, length: int, rng: np.random.Generator) -> Labelled:
    """`length` images, in one random order of all after the other (epochs without a seam)."""
    if not length:
        return images.take(np.arange(0))
    rounds = -(-length // len(images.rows))
    orders = rng.permuted(np.tile(np.arange(len(images.rows)), (rounds, 1)), axis=1)
    return images.take(orders.ravel()[:length])


def _concatenate(first: Labelled, second: Labelled) -> Labelled:
    return Labelled(
        np.concatenate([first.rows, second.rows]), np.concatenate([first.labels, second.labels])
    )


def _replace_real(
    stream: Labelled, added: Labelled, share: float, rng: np.random.Generator
) -> Labelled:
    """`stream` with a share of its images replaced by added ones of the same class."""
    rows = stream.rows.copy()
    chosen = rng.random(len(rows)) < share
    for label in np.unique(added.labels):
        places = np.flatnonzero(chosen & (stream.labels == label))
        rows[places] = rng.choice(added.rows[added.labels == label], len(places))
    return Labelled(rows, stream.labels)


def _weight_halves(
    real: Labelled, added: Labelled, share: float, budget: Budget, rng: np.random.Generator
) -> Plan:
    """Batches half real, half added, with `share` of the loss on the real half.

    Kim et al. 2024 ("DataDream"), section 3.3: lambda x real + (1 - lambda) x synthetic.
    """
    real_size = max(1, budget.batch // 2)
    added_size = budget.batch - real_size
    halves = [
        _plan(
            _stream(real, budget.steps * real_size, rng),
            np.full((budget.steps, real_size), share / real_size),
        ),
        _plan(
            _stream(added, budget.steps * added_size, rng),
            np.full((budget.steps, added_size), (1 - share) / added_size),
        ),
    ]
    return Plan(
        np.concatenate([half.rows for half in halves], axis=1),
        np.concatenate([half.labels for half in halves], axis=1),
        np.concatenate([half.weights for half in halves], axis=1),
    )


def _plan(images: Labelled, weights: np.ndarray) -> Plan:
    shape = weights.shape
    return Plan(images.rows.reshape(shape), images.labels.reshape(shape), weights)
