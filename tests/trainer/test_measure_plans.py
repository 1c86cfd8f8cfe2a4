"""Draws, arms and plans: who learns from which images, and nobody from the test's."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.trainer.measure.added import class_counts, select_added
from manyshot.trainer.measure.arms import REAL_ONLY, Arm, Mixing
from manyshot.trainer.measure.draws import draw_shots, folds
from manyshot.trainer.measure.plans import Budget, Plan, make_plan

from ..support.measure_clouds import cloud

TABLE, _ = cloud(reserved=10)
BUDGET = Budget(steps=7, batch=12)


def plan(arm: Arm, shots: int = 4, draw: int = 0, seed: int = 0) -> Plan:
    drawn = draw_shots(TABLE, shots, draw)
    added = select_added(TABLE, drawn, arm)
    return make_plan(TABLE, drawn.shots, added, arm, BUDGET, [draw, seed])


arms = st.builds(
    Arm,
    add=st.sampled_from(["nothing", "synthetic", "shuffled", "real", "same"]),
    ratio=st.sampled_from([5.0, 50.0, 100.0, 230.0, 400.0]),
    mixing=st.sampled_from(["concatenate", "replace", "weight", "pretrain", "alone"]),
)


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(0, 99))
def test_draws_are_nested_and_take_unseen_images_first(count: int, seed: int) -> None:
    few, more = draw_shots(TABLE, count, seed), draw_shots(TABLE, count + 5, seed)
    assert set(few.shots) <= set(more.shots) <= set(TABLE.real)
    assert np.bincount(TABLE.labels[few.shots]).tolist() == [count] * 5
    assert TABLE.seen[few.shots].sum() <= 5 * max(0, count - 5)  # 10 of each class are unseen
    spare = set(np.concatenate(few.spare))
    assert spare | set(few.shots) == set(TABLE.real)
    assert not spare & set(few.shots)


def test_draws_differ_also_where_what_is_unseen_is_used_up() -> None:
    draws = [set(draw_shots(TABLE, 10, seed).shots) for seed in range(10)]
    assert len(set().union(*draws)) > 100
    assert max(len(draws[0] & other) for other in draws[1:]) < 35  # of 50


def test_a_draw_is_decided_by_its_seed() -> None:
    first, again, other = (draw_shots(TABLE, 5, seed) for seed in (1, 1, 2))
    assert first.shots.tolist() == again.shots.tolist()
    assert first.shots.tolist() != other.shots.tolist()


def test_too_many_shots_are_refused() -> None:
    with pytest.raises(InputError, match="50 shots need 50 real images .* 'class 0' has 40"):
        draw_shots(TABLE, 50, 0)


@pytest.mark.parametrize(("count", "parts"), [(1, 0), (2, 2), (5, 5), (10, 5)])
def test_folds_hold_each_shot_out_once(count: int, parts: int) -> None:
    drawn = draw_shots(TABLE, count, 3)
    found = folds(TABLE, drawn)
    assert len(found) == parts
    if parts:
        assert sorted(np.concatenate([fold.held_out for fold in found])) == sorted(drawn.shots)
    for fold in found:
        assert not set(fold.learned) & set(fold.held_out)
        assert set(TABLE.labels[fold.learned]) == set(range(5))


@settings(deadline=None)
@given(arms, st.integers(1, 5), st.integers(0, 9), st.integers(0, 3))
def test_every_arm_has_equal_steps_and_none_sees_the_test(
    arm: Arm, shots: int, draw: int, seed: int
) -> None:
    found = plan(arm, shots, draw, seed)
    assert found.rows.shape == found.labels.shape == found.weights.shape == (7, 12)
    assert found.weights.sum(axis=1) == pytest.approx(1)
    assert not set(found.rows.ravel()) & set(TABLE.test)
    if arm.add != "shuffled":
        assert (found.labels == TABLE.labels[found.rows]).all()
    if arm.add in ("nothing", "same"):
        assert set(found.rows.ravel()) <= set(draw_shots(TABLE, shots, draw).shots)


@settings(deadline=None)
@given(st.integers(1, 10), st.floats(5, 400), st.integers(0, 9))
def test_added_images_are_as_many_as_asked_and_nested(shots: int, ratio: float, draw: int) -> None:
    drawn = draw_shots(TABLE, shots, draw)
    counts = class_counts(drawn, 5, ratio)
    assert sum(counts) == max(1, round(shots * 5 * ratio / 100))
    assert max(counts) - min(counts) <= 1
    few, more = (
        select_added(TABLE, drawn, Arm(add="synthetic", ratio=r)) for r in (ratio, ratio + 100)
    )
    assert set(few.rows) <= set(more.rows) <= set(TABLE.synthetic)
    assert len(set(few.rows)) == len(few.rows)


@pytest.mark.parametrize("shots", [1, 3, 7])
def test_a_number_of_images_a_class_does_not_depend_on_the_shots(shots: int) -> None:
    found = select_added(TABLE, draw_shots(TABLE, shots, 0), Arm(add="synthetic", each=6))
    assert np.bincount(found.labels).tolist() == [6] * 5


def test_shuffled_labels_are_the_same_labels_on_other_images() -> None:
    drawn = draw_shots(TABLE, 10, 0)
    right, wrong = (select_added(TABLE, drawn, Arm(add=add)) for add in ("synthetic", "shuffled"))
    assert right.rows.tolist() == wrong.rows.tolist()
    assert sorted(right.labels) == sorted(wrong.labels)
    assert (right.labels == wrong.labels).mean() < 0.5


def test_the_same_images_again_are_the_shots_and_nothing_else() -> None:
    drawn = draw_shots(TABLE, 4, 0)
    found = select_added(TABLE, drawn, Arm(add="same", ratio=200))
    assert sorted(found.rows) == sorted(np.repeat(drawn.shots, 2))


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        (Arm(add="synthetic", ratio=2000), "needs 80 synthetic images of 'class 0' .* are 60"),
        (Arm(add="real", ratio=1000), "needs 40 further real images .* there are 36"),
    ],
)
def test_too_few_images_are_refused(arm: Arm, words: str) -> None:
    with pytest.raises(InputError, match=words):
        select_added(TABLE, draw_shots(TABLE, 4, 0), arm)


def synthetic_share(found: Plan) -> float:
    return float(np.isin(found.rows, TABLE.synthetic).mean())


def test_mixings() -> None:
    arm = Arm(add="synthetic", ratio=100)
    assert synthetic_share(plan(REAL_ONLY)) == 0
    assert 0.4 < synthetic_share(plan(arm)) < 0.6
    assert synthetic_share(plan(arm.model_copy(update={"mixing": "alone"}))) == 1

    replaced = plan(Arm(add="synthetic", mixing="replace", share=0.25))
    assert 0.1 < synthetic_share(replaced) < 0.4
    assert (replaced.labels == plan(REAL_ONLY).labels).all()  # only who stands for the class

    weighted = plan(Arm(add="synthetic", mixing="weight", share=0.8))
    real = np.isin(weighted.rows, TABLE.real)
    assert real.mean() == 0.5
    assert (weighted.weights * real).sum(axis=1) == pytest.approx(0.8)

    first = np.isin(plan(Arm(add="synthetic", mixing="pretrain", share=0.4)).rows, TABLE.synthetic)
    assert first[:3].all()
    assert not first[3:].any()


def test_an_epoch_sees_every_image_once() -> None:
    rows = plan(REAL_ONLY, shots=4).rows.ravel()
    assert sorted(rows[:20]) == sorted(draw_shots(TABLE, 4, 0).shots)
    assert rows[:20].tolist() != rows[20:40].tolist()


SHARES: list[tuple[Mixing, float | None]] = [
    ("replace", 0.3),
    ("replace", 0.5),
    ("alone", None),
    ("weight", 0.5),
]


def test_arms_have_names_of_their_own() -> None:
    every = [
        Arm(add=add, ratio=ratio, mixing=mixing, share=share)
        for add in ("synthetic", "shuffled", "real", "same")
        for ratio in (5, 100)
        for mixing, share in SHARES
    ]
    every.append(Arm(add="synthetic", each=5))
    assert len({arm.name for arm in every}) == len(every)
    assert (REAL_ONLY.name, every[0].name) == ("real only", "+ synthetic 5 %, replace 0.3")
