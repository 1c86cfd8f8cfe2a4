"""All runs of a measurement: shots x draws x arms x seeds, those that are done left out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...core.errors import InputError
from .added import NOTHING, select_added, usable
from .arms import REAL_ONLY, Arm
from .diverged_runs import refuse_diverged
from .draws import Draw, all_draws, distinct_draws, pools
from .example_table import Table
from .learner import Learner, Options, Outcome, Setting, make_setting
from .measure_results import Config, DrawRow, Run, pack, pack_shares
from .noise_filter import Agreement
from .plans import Budget, make_plan
from .sharing import Sharing, mean_shared, possible_draws
from .tune import Choice, choose_arm, choose_options


@dataclass(frozen=True)
class Grid:
    """What is asked: every arm at every number of shots, for `draws` x `seeds`, 0, 1, 2, … each."""

    arms: tuple[Arm, ...]
    shots: tuple[int, ...] = (5,)
    draws: int = 10
    seeds: int = 3
    budget: Budget = Budget()

    def with_baseline(self) -> "Grid":
        """The same, real only first whether it was asked for or not."""
        arms = (REAL_ONLY, *(arm.real_only if arm.add == "nothing" else arm for arm in self.arms))
        return replace(self, arms=tuple(dict.fromkeys(arms)))


Done = Callable[[Sequence[Run]], None]  # told runs of a draw when they are finished, once each


def check_grid(table: Table, grid: Grid) -> None:
    """Raises InputError for shots or ratios that there are too few images for."""
    fixed = [arm for arm in grid.arms if arm.ratio != "auto"]
    for draw in all_draws(table, grid.shots, grid.draws):
        for arm in fixed:
            select_added(table, draw, arm)


def fair_runs(
    table: Table,
    learner: Learner,
    grid: Grid,
    material: str,
    earlier: Mapping[str, Run],
    done: Done = lambda runs: None,
) -> list[Run]:
    """Every run of the fair protocol: equal steps, batches and schedule for all arms.

    Rate and decay are chosen for real only inside the shots of the draw, and shared.
    """
    runs: list[Run] = []
    for draw in all_draws(table, grid.shots, grid.draws):
        runs.extend(_draw_runs(table, learner, draw, grid, material, earlier, done))
    return runs


def _draw_runs(
    table: Table,
    learner: Learner,
    draw: Draw,
    grid: Grid,
    material: str,
    earlier: Mapping[str, Run],
    done: Done,
) -> list[Run]:
    configs = draw_configs(material, learner, draw, grid)
    runs = {config.key: earlier[config.key] for config in configs if config.key in earlier}
    if runs:
        done(list(runs.values()))
    missing = [config for config in configs if config.key not in runs]
    if not missing:
        return list(runs.values())
    setting = make_setting(table, draw, learner, grid.budget)
    options = choose_options(setting)
    if any(config.arm.trust != "none" for config in missing):
        setting = replace(setting, agreement=read_usable(setting, options))
    arms = dict.fromkeys(config.arm for config in missing)
    chosen = {arm: settle(setting, arm, options) for arm in arms}
    for group in [missing] if learner.side_by_side else [[config] for config in missing]:
        new_runs = _train_group(setting, group, chosen, options)
        runs |= new_runs
        done(list(new_runs.values()))
    return [runs[config.key] for config in configs]


def fair_configs(table: Table, learner: Learner, grid: Grid, material: str) -> list[Config]:
    """All that `fair_runs` comes to."""
    draws = all_draws(table, grid.shots, grid.draws)
    return [config for draw in draws for config in draw_configs(material, learner, draw, grid)]


def draw_configs(material: str, learner: Learner, draw: Draw, grid: Grid) -> list[Config]:
    """The runs of a draw: every arm with every seed."""
    return [
        _config(material, learner, grid.budget, draw, arm, seed)
        for arm in grid.arms
        for seed in range(grid.seeds)
    ]


def _config(
    material: str, learner: Learner, budget: Budget, draw: Draw, arm: Arm, seed: int
) -> Config:
    return Config(
        material=material,
        learner=learner.name,
        protocol="fair",
        arm=arm,
        shots=draw.count,
        draw=draw.seed,
        seed=seed,
        steps=budget.steps,
        batch=budget.batch,
    )


def read_usable(setting: Setting, options: Options) -> Agreement:
    """What the draw's real images alone, in as many steps, make of the synthetic ones that may be
    added to them. Raises InputError for a learner that cannot tell."""
    table, draw, reader = setting.table, setting.draw, setting.learner.reader
    if reader is None:
        raise InputError("'trust' is for task: segmentation.")
    rows = [usable(table, draw, label) for label in range(len(table.classes))]
    plan = make_plan(table, draw.shots, NOTHING, REAL_ONLY, setting.budget, [draw.seed, 0])
    return reader(plan, options, np.sort(np.concatenate(rows)))


def settle(setting: Setting, arm: Arm, options: Options) -> Choice:
    """The arm itself, or what "auto" comes to in this draw."""
    if arm.ratio != "auto" or arm.add == "nothing":
        return Choice(arm, {}, "")
    return choose_arm(setting, arm, options)


def _train_group(
    setting: Setting, configs: Sequence[Config], chosen: Mapping[Arm, Choice], options: Options
) -> dict[str, Run]:
    """Train and test runs of a draw in one go."""
    began = time.perf_counter()
    table, draw, test = setting.table, setting.draw, setting.table.test
    arms = [chosen[config.arm].arm for config in configs]
    agreement = setting.agreement
    noise = None if agreement is None else agreement.noise
    added = [select_added(table, draw, arm, agreement) for arm in arms]
    plans = [
        make_plan(table, draw.shots, images, arm, setting.budget, [draw.seed, config.seed], noise)
        for config, arm, images in zip(configs, arms, added, strict=True)
    ]
    scores = setting.fit(plans, [options] * len(plans), test)
    for config, of_run in zip(configs, scores, strict=True):
        refuse_diverged(of_run, config, options.rate)
    seconds = (time.perf_counter() - began) / len(plans)
    return {
        config.key: build_run(
            config,
            chosen[config.arm],
            (0 if arm.mixing == "alone" else len(draw.shots), len(images.rows)),
            setting.budget.steps,
            options,
            setting.learner.judge(of_run, test),
            seconds,
            None if arm.trust == "none" else (agreement, table.synthetic),
        )
        for config, arm, images, of_run in zip(configs, arms, added, scores, strict=True)
    }


def build_run(
    config: Config,
    choice: Choice,
    counts: tuple[int, int],
    steps: int,
    options: Options,
    outcome: Outcome,
    seconds: float,
    read: tuple[Agreement | None, np.ndarray] | None = None,
) -> Run:
    """A run from its outcome. `counts`: real and added images learned from. `read`: what its arm
    trusts by, and the rows of all synthetic images."""
    agreement, synthetic = read or (None, np.empty(0, np.int64))
    return Run(
        key=config.key,
        config=config,
        chosen=choice.arm,
        why=choice.reason,
        real=counts[0],
        added=counts[1],
        steps=steps,
        rate=options.rate,
        decay=options.decay,
        metrics=outcome.metrics,
        by_class=list(outcome.by_class),
        by_image=pack(outcome.by_image),
        seconds=round(seconds, 3),
        agreement=None if agreement is None else pack_shares(agreement.of(synthetic)),
        ignored=None if agreement is None else round(agreement.ignored, 4),
    )


def draw_rows(table: Table, grid: Grid, names: list[str]) -> list[DrawRow]:
    """The images of every draw of a grid, from the names of all rows."""
    return [
        DrawRow(
            shots=draw.count,
            seed=draw.seed,
            images=[names[row] for row in draw.shots],
            seen=int(table.seen[draw.shots].sum()),
        )
        for draw in all_draws(table, grid.shots, grid.draws)
    ]


def sharings(table: Table, grid: Grid) -> dict[tuple[int, Arm], Sharing]:
    """How far the draws of each number of shots and arm hold the same real images."""
    sharing_by_arm = {}
    for count in grid.shots:
        draws = distinct_draws(table, count, grid.draws)
        possible = possible_draws(pools(table), count)
        freedom = len(table.real) - len(table.classes)
        for arm in grid.arms:
            shared = mean_shared([_training_rows(table, draw, arm) for draw in draws])
            sharing_by_arm[count, arm] = Sharing(shared, possible, freedom)
    return sharing_by_arm


def _training_rows(table: Table, draw: Draw, arm: Arm) -> np.ndarray:
    """The real images that decide an arm's gain: those added are compared with the shots."""
    added = select_added(table, draw, arm).rows if arm.add == "real" else draw.shots[:0]
    return np.union1d(draw.shots, added)
