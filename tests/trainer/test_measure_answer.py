"""The sentence that a report opens with, and what stands below it."""

import pytest

pytest.importorskip("jinja2")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.measure_results import GainRow
from manyshot.trainer.measure.report.answer import answer
from manyshot.trainer.measure.report.chosen import stands
from manyshot.trainer.measure.report.markdown import markdown
from manyshot.trainer.measure.report.report_page import page
from manyshot.trainer.measure.summary import SAME_STEPS

from ..support.measure_reports import AUTO, DOWN, FLAT, MUCH, REAL, SYNTHETIC, UP, row, with_rows

SAME, SHUFFLED = Arm(add="same"), Arm(add="shuffled")


@pytest.mark.parametrize(
    ("rows", "mood", "sentence"),
    [
        (
            [row(SYNTHETIC, 1, *UP)],
            "helps",
            "Yes: synthetic images raise accuracy by 4.5 points (95 % interval 2.9 to 6.1), from "
            "50.0 % to 54.5 %, with 1 real image of each class (+ synthetic 100 %).",
        ),
        (
            [row(SYNTHETIC, 5, *DOWN)],
            "hurts",
            "No: synthetic images lower accuracy by 1.4 points (95 % interval 0.4 to 2.4), from "
            "50.0 % to 48.6 %, with 5 real images of each class (+ synthetic 100 %).",
        ),
        (
            [row(SYNTHETIC, 5, *FLAT, draws_to_tell=81)],
            "cannot tell",
            "Cannot tell: +0.5 points of accuracy (95 % interval −0.2 to +1.2) with 5 real "
            "images of each class (+ synthetic 100 %); about 81 draws would detect a gain "
            "of this size.",
        ),
        (
            [row(SYNTHETIC, 1, *UP), row(SYNTHETIC, 5, *DOWN)],
            "mixed",
            "It depends on the number of real images: with 1 real image of each class, synthetic "
            "images raise accuracy: +4.5 points (+2.9 to +6.1); with 5, they lower accuracy: −1.4 "
            "points (−2.4 to −0.4).",
        ),
        (
            [row(SYNTHETIC, 1, *UP), row(SYNTHETIC, 5, 2.0, 1.0, 3.0)],
            "helps",
            "Yes: with 1 and 5 real images of each class, synthetic images raise accuracy: +4.5 "
            "and +2.0 points.",
        ),
        (
            [row(SYNTHETIC, 5, *UP), row(AUTO, 5, *FLAT), row(MUCH, 5, *DOWN)],
            "helps",
            "Yes, added in some ways: with 5 real images of each class, 1 of 3 ways of adding "
            "synthetic images helps, at best by 4.5 points of accuracy (2.9 to 6.1; + synthetic "
            "100 %), and 1 hurts.",
        ),
        (
            [row(SYNTHETIC, 5, *FLAT), row(AUTO, 5, *FLAT), row(MUCH, 5, *DOWN)],
            "hurts",
            "No, as far as this measurement can tell: with 5 real images of each class, 1 "
            "of 3 ways of adding synthetic images hurts, and none clearly helps.",
        ),
        (
            [row(MUCH, 5, *DOWN), row(SYNTHETIC, 5, *DOWN)],
            "hurts",
            "No: with 5 real images of each class, 2 of 2 ways of adding synthetic images hurt.",
        ),
        (
            [row(SYNTHETIC, 1, *UP), row(SYNTHETIC, 5, *FLAT)],
            "mixed",
            "Yes, with some numbers of real images: with 1 real image of each class, synthetic "
            "images raise accuracy: +4.5 points (+2.9 to +6.1); with 5, their effect is "
            "unclear: +0.5 points (−0.2 to +1.2).",
        ),
        (
            [row(SYNTHETIC, 1, *DOWN), row(SYNTHETIC, 5, *FLAT)],
            "hurts",
            "No, as far as this measurement can tell: with 1 real image of each class, "
            "synthetic images lower accuracy: −1.4 points (−2.4 to −0.4); with 5, their "
            "effect is unclear: +0.5 points (−0.2 to +1.2).",
        ),
        (
            [row(SYNTHETIC, 5, *FLAT), row(AUTO, 5, *FLAT)],
            "cannot tell",
            "Cannot tell: with 5 real images of each class, the effect of 2 ways of adding "
            "synthetic images is unclear.",
        ),
        (
            [row(SYNTHETIC, 5, 1.0, 0.05, 1.95), row(AUTO, 5, *FLAT), row(MUCH, 5, *FLAT)],
            "cannot tell",
            "Perhaps: with 5 real images of each class, 1 of 3 ways of adding synthetic "
            "images helps, at best by 1.0 points of accuracy (0.1 to 1.9; + synthetic 100 "
            "%); among 3 comparisons, that may be chance.",
        ),
        (
            [row(REAL, 5, *UP)],
            "helps",
            "No synthetic images were measured: of the other arms, + extra real 100 % helps most "
            "clearly, +4.5 points (+2.9 to +6.1) with 5 real images of each class.",
        ),
        (
            [row(REAL, 5, *FLAT)],
            "cannot tell",
            "No synthetic images were measured: of the other arms, none clearly helps; the surest "
            "is + extra real 100 %, +0.5 points (−0.2 to +1.2) with 5 real images of each "
            "class.",
        ),
    ],
)
def test_the_answer_in_one_sentence(rows: list[GainRow], mood: str, sentence: str) -> None:
    found = answer(with_rows(*rows))
    assert (found.mood, found.sentence) == (mood, sentence)


CLAIMS = ("no difference", "makes no", "none helps", "no effect on", "equal", "does nothing")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([SYNTHETIC, AUTO, MUCH, REAL, SAME, SHUFFLED]),
            st.sampled_from([1, 5]),
            st.sampled_from([UP, DOWN, FLAT]),
            st.booleans(),
        ),
        min_size=1,
        unique_by=lambda one: one[:2],
    )
)
def test_no_sentence_claims_that_there_is_nothing(
    made: list[tuple[Arm, int, tuple[float, float, float], bool]],
) -> None:
    """Not to tell a difference is not to have seen that there is none (Altman and Bland 1995)."""
    rows = [row(arm, shots, *ends, other_photos=own) for arm, shots, ends, own in made]
    shown = page(with_rows(*rows))
    text = markdown(shown)
    assert [claim for claim in CLAIMS if claim in text.lower()] == []
    asked = [one for one in rows if one.arm in {SYNTHETIC.name, AUTO.name, MUCH.name}]
    lead = shown.answer.lead.split(",")[0].split(";")[0]
    if lead == "Yes":
        assert any(one.verdict == "helps" for one in asked)
    if shown.answer.lead.partition(", with these photos")[0].partition(";")[0] == "No":
        assert {one.verdict for one in asked} == {"hurts"}


def test_the_answer_takes_the_comparison_at_equal_steps() -> None:
    more_steps = row(SYNTHETIC, 5, *UP)
    same_steps = row(SYNTHETIC, 5, *FLAT, against=SAME_STEPS)
    found = answer(with_rows(more_steps, same_steps))
    assert found.lead == "Cannot tell"
    assert "against real only at the same number of steps" in found.rest


def test_what_stands_below_the_answer() -> None:
    rows = (row(SYNTHETIC, 5, *UP), row(AUTO, 5, *UP), row(REAL, 5, *UP))
    assert answer(with_rows(*rows)).warnings == ()
    assert answer(with_rows(*rows)).asides == (
        "For comparison, + extra real 100 %: +4.5 points with 5 real images of each class.",
        "The best of several arms, picked after the fact, looks better than it is.",
    )
    failed = (row(Arm(add="same"), 5, *UP), row(Arm(add="shuffled"), 5, *UP))
    first, second = answer(with_rows(*rows, *failed)).warnings
    assert "+ same real 100 %, which adds nothing new, helps by +4.5 points" in first
    assert "+ shuffled labels 100 %, whose labels are wrong, helps" in second


@settings(max_examples=30)
@given(st.floats(0.01, 50), st.floats(0.01, 50), st.integers(1, 50), st.integers(2, 100))
def test_more_comparisons_never_make_a_gain_stand(
    gain: float, reach: float, comparisons: int, draws: int
) -> None:
    found = row(SYNTHETIC, 5, gain, gain - reach, gain + reach, draws=draws)
    assert stands(found, 1) or found.low < 1e-9
    assert not stands(found, 1) or found.low > -1e-9
    assert not stands(found, comparisons + 1) or stands(found, comparisons)
