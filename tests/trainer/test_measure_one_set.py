"""What draws can say of other photos: none where they hold the same, less where they share some."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("torchmetrics")
pytest.importorskip("jinja2")

from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import ManyshotError
from manyshot.trainer.measure.arms import REAL_ONLY, Arm
from manyshot.trainer.measure.draw_caveats import notes_on_draws
from manyshot.trainer.measure.draws import distinct_draws
from manyshot.trainer.measure.gain import estimate_gain, estimate_interval, sentence, unseen_share
from manyshot.trainer.measure.grid import Grid, fair_configs, fair_runs, sharings
from manyshot.trainer.measure.head import head_learner
from manyshot.trainer.measure.learner import Options
from manyshot.trainer.measure.measure_results import GainRow, Results
from manyshot.trainer.measure.plans import Budget
from manyshot.trainer.measure.report.answer import answer
from manyshot.trainer.measure.report.report_page import page
from manyshot.trainer.measure.sharing import Sharing, mean_shared, possible_draws
from manyshot.trainer.measure.summary import Basis, gain_rows
from manyshot.trainer.measure.thesis_grid import ThesisProtocol

from ..support.measure_clouds import cloud
from ..support.measure_reports import SYNTHETIC, UP, made_results, row, with_rows

SMALL = Grid((REAL_ONLY,), shots=(5,), draws=10, seeds=2, budget=Budget(20, 16))


def measured(pool: int, *arms: Arm, **changes: int) -> tuple[list[GainRow], list[str]]:
    """The gains and the notes on draws of a cloud with `pool` real photos a class."""
    table, features = cloud(real=pool, classes=3)
    grid = replace(SMALL, arms=arms, **changes).with_baseline()
    runs = fair_runs(table, head_learner(features, table.labels, 3), grid, "clouds", {})
    basis = Basis(len(table.test), sharings(table, grid), table.labels[table.test])
    return gain_rows(runs, basis), notes_on_draws(table, grid)


@pytest.mark.parametrize(
    ("pool", "number", "draws"), [(5, 10, 1), (6, 10, 10), (6, 1, 1), (40, 10, 10)]
)
def test_only_draws_that_hold_other_photos_count(pool: int, number: int, draws: int) -> None:
    table, _ = cloud(real=pool)
    found = distinct_draws(table, 5, number)
    assert len(found) == len({frozenset(draw.shots.tolist()) for draw in found}) == draws
    assert found[0].seed == 0


def test_exactly_as_many_photos_as_shots_are_one_draw_and_told_so() -> None:
    [found], notes = measured(5, SYNTHETIC)
    assert (found.draws, found.other_photos, found.draws_to_tell) == (1, False, None)
    assert found.low < found.gain < found.high
    assert "with these 5 photos of each class, and other photos were not tested: " in found.sentence
    assert "for other test images alone" in found.sentence
    assert found.sentence.count(". ") == 0  # all in the first sentence
    assert any("each class has 5 real images, so there is only one draw" in n for n in notes)


def test_one_draw_may_be_asked_for_and_is_told_as_one() -> None:
    [found], notes = measured(40, SYNTHETIC, draws=1)
    assert (found.draws, found.other_photos) == (1, False)
    assert any("one draw was measured. Other photos were not tested" in note for note in notes)


@pytest.mark.parametrize(
    ("seeds", "note"),
    [
        (1, "Other photos and other trainings were not tested: intervals cover only"),
        (3, "Other photos were not tested: intervals cover only"),
    ],
)
def test_one_training_of_one_draw_tells_nothing_of_other_trainings(seeds: int, note: str) -> None:
    table, _ = cloud(real=40)
    notes = notes_on_draws(table, replace(SMALL, draws=1, seeds=seeds))
    assert any(note in found for found in notes)


def test_trainings_of_one_draw_that_hardly_differ_narrow_nothing() -> None:
    rng = np.random.default_rng(0)
    base = rng.random((1, 1, 200)) < 0.5
    arm = base | (rng.random((1, 1, 200)) < 0.1)
    one, many = (estimate_gain(np.repeat(arm, n, 1), np.repeat(base, n, 1)) for n in (1, 50))
    assert (one.low, one.high) == pytest.approx((many.low, many.high))


def test_draws_that_share_photos_widen_the_interval_and_say_how_much() -> None:
    rows, notes = measured(8, SYNTHETIC)
    assert rows[0].shared == pytest.approx(0.62, abs=0.05)
    share = round(100 * rows[0].shared)
    sentence = rows[0].sentence
    assert f"over {rows[0].draws} draws that share {share} % of their photos" in sentence
    assert sentence.count(" over ") == 1
    assert any("two draws share 6" in note and "widened" in note for note in notes)


def test_every_number_of_shots_of_a_curve_says_how_much_its_draws_share() -> None:
    table, _ = cloud(real=10)
    notes = notes_on_draws(table, replace(SMALL, shots=(1, 5, 8, 10), draws=400))
    begins = ["1 shot: ", "5 shots: two draws share 50 %", "8 shots: two draws share 80 %"]
    begins.append("10 shots: each class has 10 real images, so there is only one draw")
    for start in begins[1:]:
        assert sum(note.startswith(start) for note in notes) == 1, notes
    [one] = [note for note in notes if note.startswith(begins[0] + "two draws share")]
    assert " share 10 % " in one or " share 9 % " in one or " share 11 % " in one


@pytest.mark.parametrize(
    ("shares", "named"),
    [
        ({1: 0.1, 5: 0.5, 8: 0.8}, [5, 8]),
        ({1: 0.1, 5: 0.19}, []),
        ({5: 0.2}, [5]),
        ({5: 1.0}, []),  # one set of photos, which the answer's first sentence says
    ],
)
def test_the_answer_names_the_shots_whose_draws_share_much(
    shares: dict[int, float], named: list[int]
) -> None:
    rows = [
        row(SYNTHETIC, shots, *UP, shared=share, other_photos=share < 1)
        for shots, share in shares.items()
    ]
    said = answer(with_rows(*rows))
    assert [text for text in said.asides if "share" in text] == [
        f"Two draws of {shots} real images of each class share {round(100 * shares[shots])} "
        "% of their photos on average; intervals are widened accordingly."
        for shots in named
    ]


def test_a_class_whose_photos_all_draws_hold_is_named() -> None:
    table, _ = cloud(real=8)
    without = np.flatnonzero(table.labels[table.real] == 2)[5:]
    short = replace(table, real=np.delete(table.real, without))
    assert any(
        "'class 2' has no more than 5 real images, which every draw uses" in note
        for note in notes_on_draws(short, SMALL)
    )


def test_further_real_photos_count_among_what_draws_share() -> None:
    table, _ = cloud(real=20)
    real = Arm(add="real")
    found = sharings(table, replace(SMALL, arms=(REAL_ONLY, real)))
    assert found[5, real].shared == pytest.approx(2 * found[5, REAL_ONLY].shared, rel=0.2)
    assert found[5, real].possible == 1_000_000


@given(st.integers(2, 30), st.integers(1, 30))
def test_the_widening_of_many_draws_is_the_delete_d_jackknifes(pool: int, shots: int) -> None:
    shared = min(shots / pool, 1.0)
    wanted = shots / (pool - shots) if shots < pool else 0.0
    assert Sharing(shared).widening == pytest.approx(wanted)


def test_what_draws_share_is_counted() -> None:
    draws = [np.array(draw) for draw in ([0, 1], [1, 2], [3, 4])]
    assert mean_shared(draws) == pytest.approx((0.5 + 0 + 0) / 3)
    assert mean_shared(draws[:1]) == 0
    assert (possible_draws([6, 6], 5), possible_draws([5, 5], 5)) == (36, 1)


@pytest.mark.parametrize(
    ("pool", "shots", "disjoint"), [(50, 5, True), (10, 5, False), (8, 5, False)]
)
def test_the_interval_covers_the_gain_over_other_photos(
    pool: int, shots: int, disjoint: bool
) -> None:
    """benchmarks/coverage.py prints this for more cases, and longer."""
    rng = np.random.default_rng(pool)
    covered = []
    for _ in range(400):
        photos = rng.normal(0, 9, pool)
        orders = [rng.permutation(pool) for _ in range(10)]
        draws = [order[:shots] for order in orders]
        if disjoint:
            draws = list(orders[0].reshape(10, shots))
        means = np.array([photos[draw].mean() for draw in draws])
        points = 1.5 + means[:, None, None] + rng.normal(0, 3, (1, 1, 100))
        found = estimate_interval(points, Sharing(mean_shared(draws), freedom=pool - 1))
        covered.append(found.low <= 1.5 <= found.high)
    assert np.mean(covered) >= 0.93 - 0.025  # two standard errors of 400


@given(
    st.integers(1, 4), st.integers(1, 3), st.sampled_from([1, 2, 3, 40]), st.integers(0, 2**32 - 1)
)
def test_no_interval_is_of_width_0(draws: int, seeds: int, images: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arm, base = (rng.random((draws, seeds, images)) < rng.choice([0, 0.5, 1]) for _ in range(2))
    for first, second in ((arm, base), (arm, arm), (1.0 * arm, 0.3 + 0.0 * base)):
        found = estimate_gain(first, second)
        assert -100 <= found.low <= found.mean <= found.high <= 100
        assert found.high - found.low > 1
        assert "+0.0 (" not in sentence("A", found)


def test_equal_arms_on_two_test_images_may_still_differ_on_others() -> None:
    right = np.ones((10, 3, 2), bool)
    found = estimate_gain(right, right)
    assert (found.low, found.high) == pytest.approx((-84.2, 84.2), abs=0.1)
    assert unseen_share(100) == pytest.approx(3.7 / 100, abs=0.001)  # about the rule of three


@pytest.mark.parametrize(
    ("arm", "shift", "words"),
    [
        (Arm(add="same"), 0.0, "the interval includes 0, as it must, and leaves room for up to "),
        (Arm(add="shuffled"), 0.0, "the interval includes 0, as it must, and leaves room for up "),
        (Arm(add="same"), 0.2, "A control should not do this: something is wrong"),
        (Arm(add="same"), -0.2, "A control should not do this: something is wrong"),
        (Arm(add="shuffled"), 0.2, "A control should not do this: something is wrong"),
    ],
)
def test_a_control_says_whether_it_holds(arm: Arm, shift: float, words: str) -> None:
    results = made_results([(arm, shift)])
    [found] = results.gains
    assert words in found.sentence
    assert ("cannot tell" in found.sentence) == (shift == 0)
    assert "draws would" not in found.sentence
    shown = page(results)
    assert ("includes 0, as it must" in str(shown.gains)) == (shift == 0)
    assert bool(shown.answer.warnings) == (shift != 0)
    assert any("includes 0, as it must" in text for text in shown.answer.asides) == (shift == 0)


def test_auto_that_added_nothing_makes_no_difference_and_says_why() -> None:
    auto = Arm(add="synthetic", ratio="auto")
    results = made_results([(auto, 0.0)])
    assert results.gains[0].verdict == "no difference"
    assert "It added nothing in any draw" in results.gains[0].sentence
    assert answer(results).lead == "Nothing was added"
    assert "no synthetic images were added in any draw" in answer(results).rest


@pytest.mark.parametrize(
    ("ends", "lead"),
    [
        (UP, "Yes, with these photos; others were not tested"),
        ((-1.4, -2.4, -0.4), "No, with these photos; others were not tested"),
        ((0.5, -0.2, 1.2), "Cannot tell; other photos were not tested"),
    ],
)
def test_the_answer_says_first_that_other_photos_were_not_tested(
    ends: tuple[float, float, float], lead: str
) -> None:
    alone = {"draws": 1, "other_photos": False}
    found = answer(with_rows(row(SYNTHETIC, 5, *ends, **alone)))
    assert found.lead == lead
    assert found.mood in ("mixed", "cannot tell")
    assert "for other test images alone" in found.rest
    both = answer(with_rows(row(SYNTHETIC, 1, *UP), row(SYNTHETIC, 5, *ends, **alone)))
    assert both.rest.endswith("with 5, other photos were not tested.")


def test_draws_of_an_earlier_version_that_are_one_set_are_warned_of() -> None:
    made = made_results([(SYNTHETIC, 0.1)])
    draws = [{"shots": 5, "seed": n, "images": ["a", "b"], "seen": 0} for n in range(4)]
    old = Results.model_validate(made.model_dump() | {"draws": draws})
    assert "hold 1 different sets of photos" in answer(old).warnings[0]


def test_a_class_gains_only_where_its_widened_interval_says_so() -> None:
    rows, _ = measured(40, SYNTHETIC)
    [found] = rows
    assert len(found.class_bounds) == 3
    for mean, (low, high) in zip(found.by_class, found.class_bounds, strict=True):
        assert low < mean < high
    results = made_results([(SYNTHETIC, 0.1)], classes=("a", "b", "c"))
    [group] = page(results).classes
    assert group.summary == "3 classes without intervals"
    bounds = [(0.5, 3.0), (-1.0, 2.0), (-9.0, -1.0)]
    told = results.gains[0].model_copy(update={"class_bounds": bounds})
    [group] = page(results.model_copy(update={"gains": [told]})).classes
    assert group.summary == "1 class gains, 1 loses; for 1 of 3 it cannot be told"


@pytest.mark.parametrize("rates", [(1e30,), (1e30, 4.0)])
def test_a_training_that_diverges_is_a_failure_with_its_name(rates: tuple[float, ...]) -> None:
    table, features = cloud(classes=3)
    options = tuple(Options(rate, 1e-5) for rate in rates)
    learner = head_learner(features, table.labels, 3, grid=options)
    grid = replace(SMALL, draws=1)
    if len(rates) > 1:  # what diverges inside the shots is not chosen
        runs = fair_runs(table, learner, grid, "clouds", {})
        assert {run.rate for run in runs} == {4.0}
        return
    with pytest.raises(ManyshotError) as caught:
        fair_runs(table, learner, grid, "clouds", {})
    assert "'real only' diverged: 5 shots, draw 0, seed 0, learning rate 1e+30" in str(caught.value)
    assert "Give lower 'rates'" in str(caught.value)


def test_the_runs_of_a_grid_are_those_that_are_made() -> None:
    table, features = cloud(classes=3, real=5)
    grid = replace(SMALL, arms=(SYNTHETIC,), shots=(1, 5), draws=3).with_baseline()
    learner = head_learner(features, table.labels, 3)
    runs = fair_runs(table, learner, grid, "m", {})
    assert [run.key for run in runs] == [c.key for c in fair_configs(table, learner, grid, "m")]
    thesis = ThesisProtocol(table, features, "head", "m")
    assert {run.key for run in thesis.runs(grid, {})} == {c.key for c in thesis.configs(grid)}
