"""What is chosen inside the real shots alone, by cross-validation: options, and ratio and mixing.

The test split has no say, and neither has any other real image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import binomtest

from .added import Labelled, select_added, usable, without_sources
from .arms import REAL_ONLY, Arm, Mixing
from .diverged_runs import has_diverged, refuse_all_diverged
from .draws import Draw, Fold, folds
from .example_table import Table
from .learner import Options, Outcome, Setting
from .plans import Plan, make_plan

CANDIDATES: tuple[tuple[float, Mixing, float | None], ...] = (
    (100, "concatenate", None),
    (400, "concatenate", None),
    (100, "replace", 0.3),
    (400, "replace", 0.3),
    (100, "weight", 0.9),
    (400, "weight", 0.9),
    (400, "pretrain", 0.5),
)
CHANCE = 0.05


@dataclass(frozen=True)
class Choice:
    """What `auto` chose for a draw. `shares`: how good each candidate is on the held-out shots, by
    its arm's name, real only among them."""

    arm: Arm
    shares: dict[str, float]
    reason: str


def choose_options(setting: Setting) -> Options:
    """Rate and decay for real only; all arms of the draw then share them.

    By the loss on what is held out: a few shots tell options apart by it that all get the same
    images right, and confidence stays honest.
    """
    fold_list, grid = folds(setting.table, setting.draw), setting.learner.grid
    if not fold_list or len(grid) == 1:
        return setting.learner.first
    outcomes = [evaluate_fold(setting, fold, [REAL_ONLY], grid) for fold in fold_list]
    losses = np.concatenate(
        [[outcome.loss for outcome in fold_outcomes] for fold_outcomes in outcomes], axis=1
    )
    means = np.nan_to_num(losses.mean(axis=1), nan=np.inf)
    if not np.isfinite(means).any():
        rates = list(dict.fromkeys(option.rate for option in grid))
        refuse_all_diverged(setting.draw.count, setting.draw.seed, rates)
    return grid[int(means.argmin())]


def choose_arm(setting: Setting, arm: Arm, options: Options) -> Choice:
    """Do no harm: the candidate that helps most inside the shots, or real only.

    The best candidate must be better where real only is worse more often than the other way
    round, by an exact one-sided sign test at 5 % (McNemar 1947). One that does harm passes it
    almost never; one that does nothing may, now and then. Candidates for which there are too few
    images are left out.
    """
    fold_list = folds(setting.table, setting.draw)
    if not fold_list:
        return Choice(arm.real_only, {}, "one shot leaves nothing to choose with")
    arms = [arm.real_only, *candidates(setting.table, setting.draw, arm, fold_list)]
    if len(arms) == 1:
        return Choice(arm.real_only, {}, "there are no images to choose with")
    outcomes = [evaluate_fold(setting, fold, arms, [options]) for fold in fold_list]
    scores = [
        np.stack([outcome.by_image.astype(np.float64) for outcome in fold_outcomes])
        for fold_outcomes in outcomes
    ]
    return pick_arm(arms, np.concatenate(scores, axis=1))


def pick_arm(arms: Sequence[Arm], scores: np.ndarray) -> Choice:
    """The choice from each arm's scores of the shots (arms, n), real only first."""
    shares = scores.mean(axis=1)
    shares_by_arm = {arm.name: float(share) for arm, share in zip(arms, shares, strict=True)}
    best = int(shares.argmax())
    if best == 0:
        return Choice(arms[0], shares_by_arm, "nothing beats real only on the held-out shots")
    won, lost = int((scores[best] > scores[0]).sum()), int((scores[best] < scores[0]).sum())
    if binomtest(won, won + lost, alternative="greater").pvalue > CHANCE:
        reason = (
            f"the best candidate wins {won} held-out shots and loses {lost}, which may be chance"
        )
        return Choice(arms[0], shares_by_arm, reason)
    return Choice(arms[best], shares_by_arm, f"wins {won} held-out shots and loses {lost}")


def candidates(table: Table, draw: Draw, arm: Arm, parts: Sequence[Fold]) -> list[Arm]:
    """The arms that "auto" chooses from, as far as there are images for them.

    Some must be left in each fold: those of a subject that learned from all shots never are.
    """
    labels = range(len(table.classes))
    least = min(len(usable(table, draw, label, "synthetic", arm.of)) for label in labels)
    every = [arm.with_mixing(*candidate) for candidate in CANDIDATES]
    feasible = [
        candidate for candidate in every if float(candidate.ratio) * draw.count <= 100 * least
    ]
    return [
        candidate
        for candidate in feasible
        if all(len(_select_added(table, draw, candidate, f).rows) for f in parts)
    ]


def _select_added(table: Table, draw: Draw, arm: Arm, fold: Fold) -> Labelled:
    """Images made from shots that are held out are held out with them."""
    return without_sources(table, select_added(table, draw, arm), fold.held_out)


def evaluate_fold(
    setting: Setting, fold: Fold, arms: Sequence[Arm], options: Sequence[Options]
) -> list[Outcome]:
    """How good every arm with every option is in the fold's held-out shots, arm by arm."""
    plans = [_plan(setting, fold, arm) for arm in arms]
    runs = list(product(plans, options))
    scores = setting.fit([plan for plan, _ in runs], [option for _, option in runs], fold.held_out)
    return [_judge(setting, of_run, fold.held_out) for of_run in scores]


def _judge(setting: Setting, scores: np.ndarray, rows: np.ndarray) -> Outcome:
    """How good a run is; one that diverged is worse than all others."""
    if has_diverged(scores):
        return Outcome({}, (), np.full(len(rows), -np.inf), np.full(len(rows), np.nan))
    return setting.learner.judge(scores, rows)


def _plan(setting: Setting, fold: Fold, arm: Arm) -> Plan:
    table, draw = setting.table, setting.draw
    added = _select_added(table, draw, arm, fold)
    return make_plan(table, fold.learned, added, arm, setting.budget, [draw.seed, 0])
