"""What a measurement asks of whatever learns: a head on features, a net on pixels, a segmenter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .draws import Draw
from .example_table import Table
from .noise_filter import Agreement
from .plans import Budget, Plan

Step = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True)
class Options:
    """Peak learning rate and weight decay, in the learner's own scale."""

    rate: float
    decay: float


# Plans of one shape (r of them), an option for each, and the rows (n) to be tested on: what each
# run found in each image, (r, n, ...), for the learner's own `judge` to read.
Fit = Callable[[Sequence[Plan], Sequence[Options], np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """How good a run is. `metrics` (the task's main one first) and `by_class` are from 0 to 1.

    `by_image` (n): each test image's part in the main metric, which is their mean. bool or float.
    `loss` (n): what the run's training wanted small, of each test image.
    """

    metrics: dict[str, float]
    by_class: tuple[float, ...]
    by_image: np.ndarray
    loss: np.ndarray


# A plan of real images, its option, and the rows (n) of synthetic ones that it shall read.
Reader = Callable[[Plan, Options, np.ndarray], Agreement]


@dataclass(frozen=True)
class Learner:
    """`name`: as reports call it. `bind`: from the rows of a draw's shots to a `Fit`.

    `judge`: from what one run found in n images, and their rows. `grid`: the options that are
    chosen from by cross-validation; `first`: taken where nothing can be held out. `side_by_side`:
    all runs of a draw are best trained in one go; else each is saved when it is finished. `reader`:
    of learners that can tell how far labels are to be trusted.
    """

    name: str
    bind: Callable[[np.ndarray], Fit]
    judge: Callable[[np.ndarray, np.ndarray], Outcome]
    grid: tuple[Options, ...]
    first: Options
    side_by_side: bool = True
    reader: Reader | None = None


@dataclass(frozen=True)
class Setting:
    """`fit` is `learner` bound to the draw's shots. `reading`: what its shots make of the synthetic
    images that may be added, where an arm asks for it."""

    table: Table
    draw: Draw
    learner: Learner
    fit: Fit
    budget: Budget
    agreement: Agreement | None = None


def make_setting(table: Table, draw: Draw, learner: Learner, budget: Budget) -> Setting:
    """The setting of a draw."""
    return Setting(table, draw, learner, learner.bind(draw.shots), budget)
