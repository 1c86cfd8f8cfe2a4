"""Any prompt of the WebUI is read as it was written, and its schedules equal a slow reference."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.webui_prompt.attention import chunks
from manyshot.core.webui_prompt.edits import read_phrase
from manyshot.core.webui_prompt.from_comfy import comfy_text
from manyshot.core.webui_prompt.read import parse
from manyshot.core.webui_prompt.steps import runs, schedule
from manyshot.core.webui_prompt.values import (
    Alternation,
    Edit,
    Phrase,
    Prompt,
    Weighted,
)
from manyshot.core.webui_prompt.write import write, write_phrase

WORDS = st.text("abcxyz ,.;é", min_size=1, max_size=6)
WHEN = st.integers(0, 12) | st.floats(0, 1.5).map(lambda value: round(value, 3))


def _phrase(inner: st.SearchStrategy[Phrase]) -> st.SearchStrategy[Phrase]:
    edit = st.builds(Edit, inner, inner, WHEN)
    turns = st.builds(Alternation, st.lists(inner, min_size=2, max_size=3).map(tuple))
    return st.tuples(WORDS, edit | turns) | st.tuples(edit | turns) | st.tuples(WORDS)


PHRASES: st.SearchStrategy[Phrase] = st.recursive(
    st.just(()) | st.tuples(WORDS), _phrase, max_leaves=8
)
SYNTAX = st.lists(
    st.sampled_from([*"()[]:|\\<>#", "\n", " ", "a", "b", "3", "0.5", "BREAK", "AND", " AND "])
    | st.sampled_from(["NOT", ":1.2", "[a:b:3]", "[a|b]", "<lora:x:1>", "<x:", "(x:1.2)"]),
    max_size=14,
).map("".join)


@given(PHRASES)
def test_a_phrase_is_read_as_it_was_written(phrase: Phrase) -> None:
    assert read_phrase(write_phrase(phrase)) == phrase


@given(SYNTAX | st.text())
def test_a_prompt_is_read_as_it_was_written(text: str) -> None:
    found = parse(text)
    assert parse(write(found)) == found


@given(SYNTAX)
def test_writing_keeps_the_meaning(text: str) -> None:
    def meaning(prompt: Prompt) -> Any:
        texts = [runs([s.text for s in schedule(p.phrase, 7)]) for p in prompt.parts]
        pieces = [[chunks(run.text) for run in part] for part in texts]
        return pieces, [part.weight for part in prompt.parts], prompt.networks

    found = parse(text)
    try:
        expected = meaning(found)
    except InputError:
        return  # a weight such as ".": no prompt of the WebUI's
    assert meaning(parse(write(found))) == expected


def _slow(text: str, step: int, steps: int) -> str:
    """The innermost edits first, one after the other, by their text alone."""
    while found := re.search(r"\[([^][]*)\]", text):
        if "|" in found[1]:
            options = found[1].split("|")
            words = options[(step - 1) % len(options)]
        else:
            *both, when = found[1].split(":")
            last = int(float(when) * steps) if "." in when else int(when)
            words = both[-1] if step > min(last, steps) else both[0] if len(both) == 2 else ""
        text = text[: found.start()] + words + text[found.end() :]
    return text


@given(PHRASES, st.integers(1, 12))
def test_schedules_equal_a_slow_reference(phrase: Phrase, steps: int) -> None:
    stretches = schedule(phrase, steps)
    for step in range(1, steps + 1):
        text = next(text for last, text in stretches if step <= last)
        assert text == _slow(write_phrase(phrase), step, steps)


PIECES = st.builds(
    Weighted,
    st.text("ab ()[]:\\é1.", min_size=1, max_size=8),
    st.sampled_from([1.0, 1.1, 0.5, 1 / 1.1, -1.3, 0.0]),
)


def _comfyui(text: str, weight: float = 1.0) -> list[tuple[str, float]]:
    """What ComfyUI's text nodes make of a text: its rule, as tests of the real one see it."""
    text = text.replace("\\)", "\0").replace("\\(", "\1")
    found: list[tuple[str, float]] = []
    for bare, inner in re.findall(r"([^()]+)|\(([^()]*)\)", text):
        if bare:
            found.append((bare, weight))
            continue
        words, _, number = inner.rpartition(":")
        found.append((words, float(number)))
    return [(words.replace("\0", ")").replace("\1", "("), w) for words, w in found]


@given(st.lists(PIECES, max_size=5))
def test_comfyui_reads_every_weight(pieces: list[Weighted]) -> None:
    read = _comfyui(comfy_text(pieces))

    def letters(found: list[Any]) -> list[tuple[str, float]]:
        return [(letter, weight) for text, weight in found for letter in text]

    assert letters(read) == letters(pieces)
