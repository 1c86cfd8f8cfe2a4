"""Measurements whose answer is known beforehand, on clouds of features."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from manyshot.core.errors import InputError
from manyshot.trainer.measure.arms import REAL_ONLY, Arm
from manyshot.trainer.measure.example_table import Table
from manyshot.trainer.measure.grid import Grid, check_grid, fair_runs
from manyshot.trainer.measure.head import head_learner
from manyshot.trainer.measure.learner import Fit
from manyshot.trainer.measure.measure_results import GainRow, Run
from manyshot.trainer.measure.plans import Budget
from manyshot.trainer.measure.summary import SAME_STEPS, gain_rows
from manyshot.trainer.measure.thesis_grid import ThesisProtocol
from manyshot.trainer.measure.tune import pick_arm

from ..support.measure_clouds import cloud

GRID = Grid((REAL_ONLY,), shots=(5,), draws=8, seeds=2, budget=Budget(60, 16))


def fair(table: Table, features: np.ndarray, *arms: Arm) -> tuple[list[Run], list[GainRow]]:
    grid = replace(GRID, arms=arms).with_baseline()
    learner = head_learner(features, table.labels, len(table.classes))
    runs = fair_runs(table, learner, grid, "clouds", {})
    return runs, gain_rows(runs, len(table.test))


@pytest.fixture(scope="module")
def good() -> tuple[list[Run], list[GainRow]]:
    """Synthetic images that are as good as real ones."""
    return fair(
        *cloud(),
        Arm(add="same"),
        Arm(add="real", ratio=200),
        Arm(add="synthetic", ratio=200),
        Arm(add="shuffled", ratio=200),
        Arm(add="shuffled", ratio="auto"),
        Arm(add="synthetic", ratio="auto"),
        Arm(add="synthetic", ratio=200, mixing="replace"),
        Arm(add="synthetic", ratio=200, mixing="weight"),
        Arm(add="synthetic", ratio=200, mixing="pretrain"),
        Arm(add="synthetic", ratio=200, mixing="alone"),
    )


def row(found: tuple[list[Run], list[GainRow]], name: str) -> GainRow:
    [one] = [row for row in found[1] if row.arm == name]
    return one


def test_the_same_images_again_gain_nothing(good: tuple[list[Run], list[GainRow]]) -> None:
    found = row(good, "+ same real 100 %")
    assert found.low <= 0 <= found.high
    assert abs(found.gain) < 1


@pytest.mark.parametrize(
    "name",
    [
        "+ extra real 200 %",
        "+ synthetic 200 %",
        "+ synthetic 200 %, replace 0.5",
        "+ synthetic 200 %, weight 0.8",
    ],
)
def test_further_images_of_the_same_cloud_help(
    good: tuple[list[Run], list[GainRow]], name: str
) -> None:
    found = row(good, name)
    assert found.verdict == "helps"
    assert found.bootstrap[0] > 0
    assert found.gain == pytest.approx(found.value - found.baseline)
    assert found.relative == pytest.approx(100 * found.gain / found.baseline)
    assert found.sentence.startswith(f"{name} helps: +")


def test_wrong_labels_hurt(good: tuple[list[Run], list[GainRow]]) -> None:
    assert row(good, "+ shuffled labels 200 %").verdict == "hurts"


def test_auto_does_no_harm(good: tuple[list[Run], list[GainRow]]) -> None:
    found = row(good, "shuffled labels, auto")
    chosen = [run.chosen for run in good[0] if run.config.arm.name == "shuffled labels, auto"]
    assert chosen == [REAL_ONLY] * len(chosen)
    assert (found.gain, found.verdict) == (0, "no difference")
    assert found.low < 0 < found.high


def test_auto_takes_what_helps(good: tuple[list[Run], list[GainRow]]) -> None:
    found = row(good, "synthetic, auto")
    assert found.gain > 0
    assert any(run.chosen != REAL_ONLY for run in good[0] if run.config.arm.ratio == "auto")


def test_all_runs_of_a_draw_share_steps_and_options(
    good: tuple[list[Run], list[GainRow]],
) -> None:
    assert {run.steps for run in good[0]} == {60}
    for draw in range(GRID.draws):
        shared = {(run.rate, run.decay) for run in good[0] if run.config.draw == draw}
        assert len(shared) == 1


def test_images_from_elsewhere_hurt_alone() -> None:
    table, features = cloud(shift=8.0)
    rng = np.random.default_rng(1)
    wrong = features.copy()
    wrong[table.synthetic] = rng.permutation(wrong[table.synthetic])
    found = fair(table, wrong, Arm(add="synthetic", mixing="alone"))
    assert row(found, "synthetic 100 % alone").verdict == "hurts"


def test_equal_data_with_more_steps_gains_under_the_thesis_protocol_only() -> None:
    """The same real images tenfold: under-trained, the thesis's baseline loses to its own copy."""
    table, features = cloud()
    again = Arm(add="same", ratio=1000)
    grid = replace(GRID, arms=(again,)).with_baseline()
    runs = ThesisProtocol(table, features, "head", "clouds").runs(grid, {})
    published, same_steps = gain_rows(runs, len(table.test) // 2)
    assert (published.against, same_steps.against) == ("real only", SAME_STEPS)
    unmatched = [run for run in runs if run.config.matched is None]
    steps = {arm: sum(r.steps for r in unmatched if r.config.arm == arm) for arm in grid.arms}
    assert steps[again] > 2 * steps[REAL_ONLY]
    assert published.verdict == "helps"
    assert same_steps.low <= 0 <= same_steps.high

    fairly = row(fair(table, features, again), again.name)
    assert fairly.low <= 0 <= fairly.high


def test_interrupted_runs_go_on_to_the_same_result() -> None:
    table, features = cloud()
    grid = replace(GRID, arms=(Arm(add="synthetic"),), draws=3).with_baseline()
    learner = head_learner(features, table.labels, 5)
    saved: dict[str, Run] = {}

    def stop(runs: Sequence[Run]) -> None:
        saved.update({run.key: run for run in runs})
        if len(saved) > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fair_runs(table, learner, grid, "clouds", {}, stop)
    trained: list[int] = []

    def counting(shots: np.ndarray) -> Fit:
        trained.append(len(shots))
        return learner.bind(shots)

    resumed = fair_runs(table, replace(learner, bind=counting), grid, "clouds", saved)
    whole = fair_runs(table, learner, grid, "clouds", {})
    assert len(trained) == 1
    assert [run.by_image for run in resumed] == [run.by_image for run in whole]
    assert [run.key for run in resumed] == [run.key for run in whole]


def test_too_few_images_are_told_before_anything_is_trained() -> None:
    table, _ = cloud()
    with pytest.raises(InputError, match="needs 100 synthetic images"):
        check_grid(table, replace(GRID, arms=(Arm(add="synthetic", ratio=2000),)))


@pytest.mark.parametrize(
    ("won", "lost", "picked"), [(0, 0, False), (3, 3, False), (9, 4, False), (9, 1, True)]
)
def test_auto_wants_more_than_chance(won: int, lost: int, picked: bool) -> None:
    other, right = Arm(add="synthetic"), np.zeros((2, 40), bool)
    right[:, :10] = True
    right[1, 10 : 10 + won] = True
    right[1, :lost] = False
    assert pick_arm([REAL_ONLY, other], right).arm == (other if picked else REAL_ONLY)
