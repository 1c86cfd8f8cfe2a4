"""Strengths of image to image: read from text, and drawn by seed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.denoise import drawn_strength, read_strengths
from manyshot.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "strengths"),
    [
        ("0.25, 0.5, 0.75, 1.0", (0.25, 0.5, 0.75, 1.0)),
        (" 0.5\n0.5 ,1", (0.5, 0.5, 1.0)),
        ("0", (0.0,)),
    ],
)
def test_text(text: str, strengths: tuple[float, ...]) -> None:
    assert read_strengths(text) == strengths


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" , ", "No strength is given. Write some"),
        ("0.5; 0.7", "'0.5;' is not a strength"),
        ("0.5, 1.5", "The strength 1.5 is not between 0 and 1"),
        ("-0.1", "The strength -0.1 is not between"),
        ("nan", "The strength nan is not between"),
    ],
)
def test_wrong_text(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_strengths(text)


def test_all_are_equally_likely_and_neighbours_differ() -> None:
    strengths = (0.25, 0.5, 0.75, 1.0)
    drawn = [drawn_strength(strengths, seed) for seed in range(4000)]
    assert all(abs(count - 1000) < 120 for count in Counter(drawn).values())
    changes = sum(a != b for a, b in zip(drawn, drawn[1:], strict=False))
    assert abs(changes - 3000) < 120


@given(st.lists(st.floats(0, 1), min_size=1).map(tuple), st.integers(0, 2**64 - 1))
def test_one_of_them_and_always_the_same(strengths: tuple[float, ...], seed: int) -> None:
    found = drawn_strength(strengths, seed)
    assert found in strengths
    assert drawn_strength(strengths, seed) == found


def test_the_draw_is_fixed_for_all_time() -> None:
    assert [drawn_strength((0.25, 0.5, 0.75, 1.0), seed) for seed in range(6)] == FIXED


FIXED = [0.25, 0.75, 0.75, 0.5, 1.0, 0.75]
