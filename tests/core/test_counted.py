"""Numbers in sentences."""

import re
from collections.abc import Callable
from pathlib import Path

import manyshot
import pytest
from manyshot.core.counted import describe_shortfall, in_percent, pluralize
from manyshot.core.errors import InputError
from manyshot.core.metadata_lines import check_foreign_lines
from manyshot.driver.job import check_distinct


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
    assert pluralize(count, *words) == text


def test_what_came_is_told() -> None:
    assert describe_shortfall(1, 2) == "1 image received, 2 expected."
    assert describe_shortfall(3, 1) == "3 images received, 1 expected."


def test_percent_are_written_in_one_form() -> None:
    """That of the names of arms, which results.json holds: a space before the sign."""
    assert [in_percent(0.615), in_percent(0.1234, 1), in_percent(0)] == ["62 %", "12.3 %", "0 %"]
    [folder] = manyshot.__path__
    rooms = ("cli", "comfy_nodes", "core", "driver", "library", "trainer", "webui")
    files = [path for room in rooms for path in (Path(folder) / room).rglob("*.py")]
    assert len(files) > 100
    other_form = re.compile(r":[.0-9]*%\}")
    assert [path for path in files if other_form.search(path.read_text(encoding="utf-8"))] == []


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as error:
        call()
    return str(error.value)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: check_distinct(1, 1), "1 of the 1 job equals another one"),
        (lambda: check_distinct(2, 4), "2 of the 4 jobs equal another one"),
        (
            lambda: check_foreign_lines(Path("out"), [{"file_name": "a.png"}], ["cat"]),
            "metadata.jsonl has 1 line that manyshot run did not write",
        ),
    ],
)
def test_sentences_of_one(call: Callable[[], object], sentence: str) -> None:
    assert sentence in refusal(call)
