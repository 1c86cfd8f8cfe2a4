"""Linear heads on frozen features, many runs trained side by side: the smallest of learners."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from .class_metrics import classification_outcome
from .learner import Fit, Learner, Options, Outcome
from .plans import Plan

MOMENTUM = 0.9
# Peak rates and decays, for features of mean square length 1.
RATES = (1.0, 4.0, 16.0)
DECAYS = (1e-6, 1e-5, 1e-4)
FIRST = Options(4.0, 1e-5)


@dataclass
class Heads:
    """`weight` (r, d, c) and `bias` (r, c) of r linear heads, with their velocities."""

    weight: Tensor
    bias: Tensor
    weight_velocity: Tensor
    bias_velocity: Tensor

    @classmethod
    def zeros(cls, runs: int, width: int, classes: int) -> "Heads":
        """Heads that know nothing; zero is where a convex problem may start."""
        shapes = ((runs, width, classes), (runs, classes)) * 2
        return cls(*(torch.zeros(shape) for shape in shapes))

    def scores(self, features: Tensor) -> Tensor:
        """Logits (r, n, c) of features (n, d)."""
        return features @ self.weight + self.bias[:, None]


# From plans with policies to features (k, d) of augmented images, and plans without policies whose
# rows from n on are among those k. Plans without policies come back as they are.
Viewed = Callable[[Sequence[Plan]], tuple[np.ndarray, list[Plan]]]
GRID = tuple(Options(rate, decay) for rate, decay in product(RATES, DECAYS))


def head_learner(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    source: str = "on features",
    viewed: Viewed | None = None,
    grid: tuple[Options, ...] = GRID,
) -> Learner:
    """A learner of linear heads on features (n, d) and labels (n), a row for each of the table.

    `source`: what the features are of, for its name. `viewed`: what policies need.
    """

    def bind(shots: np.ndarray) -> Fit:
        rows = torch.from_numpy(standardise(features, shots))

        def fit(plans: Sequence[Plan], options: Sequence[Options], at: np.ndarray) -> np.ndarray:
            inputs, tested = rows, rows[torch.from_numpy(at)]
            if any(plan.policy != "none" for plan in plans):
                if viewed is None:
                    raise ValueError("Policies need images, not features alone.")
                views, plans = viewed(plans)
                inputs = torch.from_numpy(standardise(np.concatenate([features, views]), shots))
            return _scores(inputs, plans, options, classes, tested)

        return fit

    def judge(scores: np.ndarray, rows: np.ndarray) -> Outcome:
        return classification_outcome(scores, labels[rows])

    first = FIRST if FIRST in grid else grid[len(grid) // 2]
    return Learner(f"linear head {source}", bind, judge, grid, first)


def _scores(
    rows: Tensor, plans: Sequence[Plan], options: Sequence[Options], classes: int, tested: Tensor
) -> np.ndarray:
    """Logits (r, n, classes) at `tested` (n, d); plans of one shape are trained side by side."""
    scores = np.empty((len(plans), len(tested), classes), np.float32)
    for shape in dict.fromkeys(plan.rows.shape for plan in plans):
        places = [place for place, plan in enumerate(plans) if plan.rows.shape == shape]
        alike = [plans[place] for place in places]
        heads = fit_heads(rows, alike, [options[place] for place in places], classes)
        scores[places] = heads.scores(tested).numpy()
    return scores


def standardise(features: np.ndarray, shots: np.ndarray) -> np.ndarray:
    """Features less the mean of the `shots`, over the root of the shots' mean square length.

    A linear head can learn the same with or without; its steps are much better conditioned. Only
    the real shots decide, so that it is the same for all arms.
    """
    centred = features - features[shots].mean(axis=0)
    length = np.sqrt(np.square(centred[shots]).sum(axis=1).mean())
    return (centred / max(float(length), 1e-12)).astype(np.float32)


def fit_heads(
    features: Tensor, plans: Sequence[Plan], options: Sequence[Options], classes: int
) -> Heads:
    """A head for each plan: SGD with momentum on cross-entropy, the rate falling as a cosine.

    Cosine: Loshchilov & Hutter 2017 ("SGDR"), equation 5, one period, without restarts.
    """
    rows, labels, weights = stack_plans(plans)
    learned, rows = torch.unique(rows, return_inverse=True)
    axes = _axes(features[learned])
    images = features[learned] @ axes
    steps = rows.shape[1]
    rates = torch.tensor([option.rate for option in options])
    decays = torch.tensor([option.decay for option in options])
    heads = Heads.zeros(len(plans), images.shape[1], classes)
    for step in range(steps):
        rate = rates * (1 + np.cos(np.pi * step / steps)) / 2
        inputs = images[rows[:, step]]
        descend(heads, inputs, labels[:, step], weights[:, step], rate, decays, MOMENTUM)
    heads.weight, heads.weight_velocity = axes @ heads.weight, axes @ heads.weight_velocity
    return heads


def _axes(images: Tensor) -> Tensor:
    """An orthonormal basis (d, k) of what `images` (n, d) span, k the lesser of n and d.

    Heads that begin at zero never leave it, so that training may do with k numbers an image: few
    images are learned from several times faster, to the same heads.
    """
    few, width = images.shape
    return torch.linalg.qr(images.T).Q if few < width else torch.eye(width)


def stack_plans(plans: Sequence[Plan]) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, labels and weights of plans of one shape, (r, steps, batch) each."""
    rows = torch.from_numpy(np.stack([plan.rows for plan in plans]))
    labels = torch.from_numpy(np.stack([plan.labels for plan in plans]))
    weights = torch.from_numpy(np.stack([plan.weights for plan in plans]).astype(np.float32))
    return rows, labels, weights


def descend(
    heads: Heads,
    features: Tensor,
    labels: Tensor,
    weights: Tensor,
    rate: Tensor,
    decay: Tensor,
    momentum: float,
) -> None:
    """One step of all heads, in place, from features (r, batch, d), labels and weights (r, batch).

    The gradient of softmax cross-entropy by hand (Bishop 2006, equation 4.109): autograd would
    keep what this does not need. Weight decay spares the bias.
    """
    logits = torch.baddbmm(heads.bias[:, None], features, heads.weight)
    errors = logits.softmax(dim=2)
    errors.scatter_add_(2, labels[..., None], torch.full_like(weights, -1)[..., None])
    errors *= weights[..., None]
    slope = torch.baddbmm(heads.weight * decay[:, None, None], features.transpose(1, 2), errors)
    heads.weight_velocity.mul_(momentum).add_(slope)
    heads.bias_velocity.mul_(momentum).add_(errors.sum(dim=1))
    heads.weight -= rate[:, None, None] * heads.weight_velocity
    heads.bias -= rate[:, None] * heads.bias_velocity
