"""Whole nets that learn from pixels, one run after the other."""

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np

from ..class_metrics import classification_outcome
from ..learner import Fit, Learner, Options, Outcome, Step
from ..model import Model
from ..plans import Plan
from .classifier_nets import Net
from .finetuning import compute_scores, train
from .pixel_cache import Pixels

# Where a recipe names none; with pretrained weights, and from scratch.
RATES = {("sgd", True): 0.01, ("sgd", False): 0.05, ("adamw", True): 3e-4, ("adamw", False): 1e-3}
OPENNSFW_RATE = 3e-5  # a net without normalisation bears less
DECAYS = {"sgd": 1e-4, "adamw": 0.05}


def net_learner(
    net: Net, pixels: Pixels, labels: np.ndarray, classes: int, model: Model, step: Step
) -> Learner:
    """A learner of all of a net, from the images of `pixels` and their labels (n)."""

    def run(plan: Plan, option: Options, at: np.ndarray, what: str) -> np.ndarray:
        report_step = partial(step, what)
        module = train(net, pixels, plan, option, model, classes, report_step)
        return compute_scores(module, net, pixels, at, model)

    def fit(plans: Sequence[Plan], options: Sequence[Options], at: np.ndarray) -> np.ndarray:
        runs = enumerate(zip(plans, options, strict=True), 1)
        of = len(plans)
        return np.stack([run(*pair, at, f"training {number} of {of}") for number, pair in runs])

    def bind(shots: np.ndarray) -> Fit:
        return fit

    def judge(scores: np.ndarray, rows: np.ndarray) -> Outcome:
        return classification_outcome(scores, labels[rows])

    rate = OPENNSFW_RATE if model.name == "opennsfw" else RATES[model.optimiser, model.pretrained]
    grid = build_options(model, [rate], [DECAYS[model.optimiser]])
    name, first = learner_name(net, model, grid), grid[len(grid) // 2]
    return Learner(name, bind, judge, grid, first, side_by_side=False)


def build_options(
    model: Model, rates: Sequence[float], decays: Sequence[float]
) -> tuple[Options, ...]:
    """The options that a recipe gives to choose from; `rates` and `decays` where it gives none."""
    pairs = product(model.rates or rates, model.decays or decays)
    return tuple(Options(rate, decay) for rate, decay in pairs)


def learner_name(net: Net, model: Model, grid: Sequence[Options]) -> str:
    """All that decides a run beside its plan."""
    how = "fine-tuned" if model.pretrained else "trained"
    return (
        f"{net.id} {how} at {net.side} px by {model.optimiser} in {model.precision}, "
        f"{options_text(grid)}"
    )


def options_text(options: Sequence[Options]) -> str:
    """Options as a part of a learner's name."""
    rates = " or ".join(dict.fromkeys(f"{option.rate:g}" for option in options))
    decays = " or ".join(dict.fromkeys(f"{option.decay:g}" for option in options))
    return f"rate {rates}, decay {decays}"
