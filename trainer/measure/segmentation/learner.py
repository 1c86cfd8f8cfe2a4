"""Segmenters as learners: the decoder on a frozen encoder's features, or all of the net."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import numpy as np

from ....core.masks.codes import MaskCode
from ..learner import Fit, Learner, Options, Outcome, Step
from ..plans import Plan
from .memory import Memory, Pairs
from .metrics import segmentation_outcome
from .nets import open_net
from .segmenter import Segmenter
from .training import tested, train


def segmenter_learner(pairs: Pairs, segmenter: Segmenter, step: Step) -> Learner:
    """A learner of pairs, one run after the other. Raises InputError when its net is missing."""
    net = open_net(segmenter, len(pairs.code.classes))
    memory = Memory(pairs, net, segmenter)

    def run(plan: Plan, option: Options, at: np.ndarray, what: str) -> np.ndarray:
        return tested(memory, train(memory, plan, option, partial(step, what)), at)

    def fit(plans: Sequence[Plan], options: Sequence[Options], at: np.ndarray) -> np.ndarray:
        runs = enumerate(zip(plans, options, strict=True), 1)
        of = len(plans)
        return np.stack([run(*one, at, f"training {number} of {of}") for number, one in runs])

    def fitted(shots: np.ndarray) -> Fit:
        return fit

    def judge(counts: np.ndarray, rows: np.ndarray) -> Outcome:
        return segmentation_outcome(counts)

    grid = tuple(Options(rate, segmenter.decay) for rate in segmenter.rates)
    name = learner_name(net.id, segmenter, pairs.code)
    return Learner(name, fitted, judge, grid, grid[len(grid) // 2], side_by_side=False)


def learner_name(net: str, segmenter: Segmenter, code: MaskCode) -> str:
    """All that decides a run beside its plan and options."""
    how = "decoder on" if segmenter.mode == "frozen" else "fine-tuned"
    rates = " or ".join(f"{rate:g}" for rate in segmenter.rates)
    meaning = sha256(code.text().encode()).hexdigest()[:8]
    return (
        f"{how} {net} at {segmenter.size} px, rate {rates}, decay {segmenter.decay:g}, "
        f"masks {meaning}"
    )
