"""What is chosen inside the real shots alone, by cross-validation: options, and ratio and mixing.

The test split has no say, and neither has any other real image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import binomtest

from .added import NOTHING, added_images
from .arms import REAL_ONLY, Arm, Mixing
from .draws import Draw, Fold, folds
from .head import Fit, Options
from .plans import Budget, Plan, make_plan
from .table import Table

RATES = (0.3, 1.0, 4.0)
DECAYS = (1e-4, 1e-3, 1e-2)
CANDIDATES: tuple[tuple[float, Mixing], ...] = (
    (50, "concatenate"),
    (100, "concatenate"),
    (400, "concatenate"),
    (100, "replace"),
    (100, "weight"),
    (100, "pretrain"),
)
CHANCE = 0.05
FIRST = Options(1.0, 1e-3)  # for one shot, where nothing can be held out


@dataclass(frozen=True)
class Choice:
    """What `auto` chose for a draw. `shares`: of the held-out shots that each candidate got right,
    by its arm's name, real only among them."""

    arm: Arm
    shares: dict[str, float]
    reason: str


def choose_options(table: Table, draw: Draw, fit: Fit, budget: Budget) -> Options:
    """Rate and decay for real only; all arms of the draw then share them."""
    parts = folds(table, draw)
    if not parts:
        return FIRST
    grid = [Options(rate, decay) for rate, decay in product(RATES, DECAYS)]
    right = [held_out_hits(table, draw, fold, [REAL_ONLY], grid, fit, budget) for fold in parts]
    shares = np.concatenate(right, axis=1).mean(axis=1)
    return grid[int(shares.argmax())]


def choose_arm(
    table: Table, draw: Draw, arm: Arm, options: Options, fit: Fit, budget: Budget
) -> Choice:
    """Do no harm: the candidate that helps most inside the shots, or real only.

    The best candidate must be right where real only is wrong more often than the other way round,
    by an exact one-sided sign test at 5 % (McNemar 1947). One that does harm passes it almost
    never; one that does nothing may, now and then. Candidates for which there are too few images
    are left out.
    """
    parts = folds(table, draw)
    if not parts:
        return Choice(REAL_ONLY, {}, "one shot leaves nothing to choose by")
    arms = [REAL_ONLY, *candidates(table, draw, arm)]
    right = [held_out_hits(table, draw, fold, arms, [options], fit, budget) for fold in parts]
    return chosen_arm(arms, np.concatenate(right, axis=1))


def chosen_arm(arms: Sequence[Arm], right: np.ndarray) -> Choice:
    """The choice from what each arm, real only first, got right of the shots: bool (arms, n)."""
    shares = right.mean(axis=1)
    found = {arm.name: float(share) for arm, share in zip(arms, shares, strict=True)}
    best = int(shares.argmax())
    if best == 0:
        return Choice(REAL_ONLY, found, "nothing beats real only on the held-out shots")
    won, lost = (int((right[best] & ~right[0]).sum()), int((right[0] & ~right[best]).sum()))
    if binomtest(won, won + lost, alternative="greater").pvalue > CHANCE:
        reason = f"the best candidate wins {won} held-out shots and loses {lost}: may be chance"
        return Choice(REAL_ONLY, found, reason)
    return Choice(arms[best], found, f"wins {won} held-out shots and loses {lost}")


def candidates(table: Table, draw: Draw, arm: Arm) -> list[Arm]:
    """The arms that "auto" chooses from, as far as there are images for them."""
    least = min(len(table.of_class(table.synthetic, c)) for c in range(len(table.classes)))
    every = [arm.settled(ratio, mixing) for ratio, mixing in CANDIDATES]
    return [one for one in every if float(one.ratio) * draw.count <= 100 * least]


def held_out_hits(
    table: Table,
    draw: Draw,
    fold: Fold,
    arms: Sequence[Arm],
    options: Sequence[Options],
    fit: Fit,
    budget: Budget,
) -> np.ndarray:
    """What every arm with every option gets right of the fold's held-out shots: (runs, n)."""
    plans = [_plan(table, draw, fold, arm, budget) for arm in arms]
    runs = list(product(plans, options))
    scores = fit([plan for plan, _ in runs], [option for _, option in runs], fold.held_out)
    return scores.argmax(axis=2) == table.labels[fold.held_out]


def _plan(table: Table, draw: Draw, fold: Fold, arm: Arm, budget: Budget) -> Plan:
    added = NOTHING if arm == REAL_ONLY else added_images(table, draw, arm)
    return make_plan(table, fold.learned, added, arm, budget, [draw.seed, 0])
