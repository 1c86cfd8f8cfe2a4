"""The segmenter of real pairs: trained, read by what it has not learned, and reading others."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold

from ...core.masks.label_mask import MaskCode
from ..measure.added import NOTHING
from ..measure.arms import REAL_ONLY
from ..measure.example_table import Table
from ..measure.learner import Options, Step
from ..measure.plans import Budget, Plan, make_plan
from ..measure.segmentation.pair_agreement import plain_counts
from ..measure.segmentation.pair_cache import EncoderCache, Pairs
from ..measure.segmentation.segmentation_nets import Net, Parts, open_net
from ..measure.segmentation.segmentation_training import PairPrediction, read_pairs, train
from ..measure.segmentation.segmenter_settings import Segmenter
from .curation_pairs import RealPairs

FOLDS = 5


@dataclass(frozen=True)
class Reader:
    """A segmenter in evaluation mode, and the net that it was made from."""

    segmenter: Segmenter
    net: Net
    parts: Parts

    def read(
        self, real: RealPairs, images: np.ndarray, masks: np.ndarray
    ) -> Iterator[PairPrediction]:
        """What it makes of pairs as `RealPairs` holds them, by their places."""
        memory = _memory(real, images, masks, self.net, self.segmenter)
        return read_pairs(memory, self.parts, np.arange(len(images)))


def train_reader(real: RealPairs, segmenter: Segmenter, budget: Budget, step: Step) -> Reader:
    """The segmenter of all real pairs. Raises InputError when its net is missing."""
    net = open_net(segmenter, len(real.classes))
    memory = _memory(real, real.images, real.masks, net, segmenter)
    plan = _plan(np.arange(len(real.images)), budget, 0)
    parts = train(memory, plan, _options(segmenter), lambda n, of: step("learning", n, of))
    return Reader(segmenter, net, parts)


def cross_read(
    real: RealPairs, segmenter: Segmenter, budget: Budget, step: Step
) -> np.ndarray | None:
    """Counts (n, classes, columns) of each real pair by a segmenter that has not learned from it.

    Up to five folds; None for a single pair. Such a segmenter has learned from fewer pairs than
    that of all, so that it reads a little worse.
    """
    count, classes = len(real.images), len(real.classes)
    if count < 2:
        return None
    net = open_net(segmenter, classes)
    memory = _memory(real, real.images, real.masks, net, segmenter)
    counts = np.empty((count, classes, 6))
    parts = list(KFold(min(FOLDS, count), shuffle=True, random_state=0).split(np.arange(count)))
    for number, (learned, test) in enumerate(parts, 1):
        plan, what = _plan(learned, budget, number), f"yardstick {number} of {len(parts)}"
        of_fold = train(memory, plan, _options(segmenter), lambda n, of, w=what: step(w, n, of))
        reads = read_pairs(memory, of_fold, test)
        counts[test] = np.concatenate([plain_counts(read, classes) for read in reads])
    return counts


def _options(segmenter: Segmenter) -> Options:
    return Options(segmenter.rates[len(segmenter.rates) // 2], segmenter.decay)


def _plan(rows: np.ndarray, budget: Budget, seed: int) -> Plan:
    count, none = int(rows.max()) + 1, np.empty(0, np.int64)
    table = Table(("all",), np.zeros(count, int), rows, none, none, np.zeros(count, bool))
    return make_plan(table, rows, NOTHING, REAL_ONLY, budget, [0, seed])


def _memory(
    real: RealPairs, images: np.ndarray, masks: np.ndarray, net: Net, segmenter: Segmenter
) -> EncoderCache:
    rows = np.arange(len(images))
    return EncoderCache(
        Pairs(MaskCode(real.classes, {}, {}), images, masks, rows, rows), net, segmenter
    )
