"""Segmenters as learners: the decoder on a frozen encoder's features, or all of the net."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import numpy as np

from ....core.masks.label_mask import MaskCode
from ..diverged_runs import refuse_diverged_reader
from ..learner import Fit, Learner, Options, Outcome, Step
from ..noise_filter import Agreement
from ..plans import Plan
from .pair_agreement import limits, plain_counts, read_agreement
from .pair_cache import EncoderCache, Pairs
from .segmentation_metrics import segmentation_outcome
from .segmentation_nets import open_net
from .segmentation_training import evaluate, read_pairs, train
from .segmenter_settings import Segmenter


def segmenter_learner(pairs: Pairs, segmenter: Segmenter, step: Step) -> Learner:
    """A learner of pairs, one run after the other. Raises InputError when its net is missing."""
    net = open_net(segmenter, len(pairs.code.classes))
    cache = EncoderCache(pairs, net, segmenter)

    def run(plan: Plan, option: Options, at: np.ndarray, what: str) -> np.ndarray:
        return evaluate(cache, train(cache, plan, option, partial(step, what)), at)

    def fit(plans: Sequence[Plan], options: Sequence[Options], at: np.ndarray) -> np.ndarray:
        runs = enumerate(zip(plans, options, strict=True), 1)
        of = len(plans)
        return np.stack([run(*pair, at, f"training {number} of {of}") for number, pair in runs])

    def bind(shots: np.ndarray) -> Fit:
        return fit

    def judge(counts: np.ndarray, rows: np.ndarray) -> Outcome:
        return segmentation_outcome(counts)

    def reader(plan: Plan, option: Options, rows: np.ndarray) -> Agreement:
        networks = train(cache, plan, option, partial(step, "training what reads pairs"))
        real = read_pairs(cache, networks, np.unique(plan.rows))
        counts = np.concatenate([plain_counts(read, len(pairs.code.classes)) for read in real])
        refuse_diverged_reader(counts, plan.seed, option.rate)
        most = limits(counts)
        return read_agreement(read_pairs(cache, networks, rows), most, pairs.background)

    grid = tuple(Options(rate, segmenter.decay) for rate in segmenter.rates)
    name = learner_name(net.id, segmenter, pairs.code)
    first = grid[len(grid) // 2]
    return Learner(name, bind, judge, grid, first, side_by_side=False, reader=reader)


def learner_name(net: str, segmenter: Segmenter, code: MaskCode) -> str:
    """All that decides a run beside its plan and options."""
    how = "decoder on" if segmenter.mode == "frozen" else "fine-tuned"
    rates = " or ".join(f"{rate:g}" for rate in segmenter.rates)
    meaning = sha256(code.text().encode()).hexdigest()[:8]
    return (
        f"{how} {net} at {segmenter.size} px, rate {rates}, decay {segmenter.decay:g}, "
        f"masks {meaning}"
    )
