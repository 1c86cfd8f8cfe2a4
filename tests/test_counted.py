"""Counts in sentences."""

import pytest
from manyshot.core.counted import came_of, counted


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("image",), "0 images"),
        (1, ("image",), "1 image"),
        (2, ("class", "classes"), "2 classes"),
        (1, ("class", "classes"), "1 class"),
        (1200, ("image was", "images were"), "1,200 images were"),
    ],
)
def test_nouns_follow_their_counts(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text


def test_what_came_is_told() -> None:
    assert came_of(1, 2) == "1 image came, 2 were expected."
    assert came_of(3, 1) == "3 images came, 1 was expected."
