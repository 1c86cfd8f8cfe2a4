"""Numbers in sentences."""

import re
from pathlib import Path

import manyshot
import pytest
from manyshot.core.counted import came_of, counted, in_percent


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


def test_percent_are_written_in_one_form() -> None:
    """That of the names of arms, which results.json holds: a space before the sign."""
    assert [in_percent(0.615), in_percent(0.1234, 1), in_percent(0)] == ["62 %", "12.3 %", "0 %"]
    [folder] = manyshot.__path__
    rooms = ("cli", "comfy_nodes", "core", "driver", "trainer", "webui")
    files = [path for room in rooms for path in (Path(folder) / room).rglob("*.py")]
    assert len(files) > 100
    other_form = re.compile(r":[.0-9]*%\}")
    assert [path for path in files if other_form.search(path.read_text(encoding="utf-8"))] == []
