r"""Prompts of CLIPTextEncode in the WebUI's language: the same words with the same weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.webui_prompt.attention import parse_weights
from manyshot.core.webui_prompt.from_comfy import MAX_DEPTH, comfy_text, comfy_weighted, from_comfy
from manyshot.core.webui_prompt.read import parse
from manyshot.core.webui_prompt.values import Weighted

SYNTAX = st.lists(
    st.sampled_from(
        ["(", ")", "[", "]", "\\", ":", "1.3", "a", " b", "|", "AND", "BREAK", "<lora:x:1>", ":0.7"]
        + ["\\(", "\\)", "(cat:1.2)", "NOT ", "-1", "\n", ",", "embedding:x "]
    ),
    max_size=12,
).map("".join)
TEXTS = SYNTAX | st.text().filter(lambda text: not {"#", "\x02", "\x03"} & set(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a photo of a cat", "a photo of a cat"),
        ("a (cat:1.2)", "a (cat:1.2)"),
        ("a (cat)", "a (cat:1.1)"),
        ("a ((cat))", "a (cat:1.2100000000000002)"),
        ("((cat:1.3))", "(cat:1.3)"),
        ("(a (cat:1.3) b:0.5)", "(a :0.5)(cat:1.3)( b:0.5)"),
        ("[cat|dog] [a:b:0.5]", r"\[cat|dog\] \[a:b:0.5\]"),
        (r"a \(cat\)", r"a \(cat\)"),
        (r"a\b", r"a\\b"),
        ("cat AND dog BREAK", "cat and dog break"),
        ("SAND", "SAND"),
        ("a cat :0.7", "(a cat :0.7:1.0)"),
        ("<lora:x:1> cat", "< lora:x:1> cat"),
        ("a < b", "a < b"),
        ("(cat", r"\(cat"),
        ("cat)", r"cat\)"),
        ("()", ""),
        ("", ""),
        ("a embedding:sks, b", "a embedding:sks, b"),
    ],
)
def test_the_webui_is_told_the_same(text: str, expected: str) -> None:
    assert from_comfy(text) == expected


@given(TEXTS)
def test_no_word_and_no_weight_is_lost(text: str) -> None:
    try:
        written = from_comfy(text)
    except InputError:
        return  # a weight such as (a:nan)
    prompt = parse(written)
    (part,) = prompt.parts
    assert (part.weight, prompt.networks) == (1.0, ())
    assert all(isinstance(item, str) for item in part.phrase)
    read = parse_weights("".join(map(str, part.phrase)))
    assert _letters(read) == _letters(comfy_weighted(text))


@given(st.lists(st.builds(Weighted, st.text("ab ()[]:|\\", min_size=1), st.floats(-9, 9))))
def test_it_reverses_what_is_written_for_comfyui(pieces: list[Weighted]) -> None:
    assert _letters(comfy_weighted(comfy_text(pieces))) == _letters(tuple(pieces))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a # b", "as a comment"),
        ("(a:inf)", "'inf', which is not a number"),
        ("(" * (MAX_DEPTH + 2) + "a" + ")" * (MAX_DEPTH + 2), "more than 50 deep"),
    ],
)
def test_what_the_webui_would_read_otherwise(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_comfy(text)


def _letters(pieces: tuple[Weighted, ...]) -> list[tuple[str, float]]:
    """Each letter's weight; spaces and capitals make no difference to CLIP."""
    return [
        (letter, piece.weight)
        for piece in pieces
        for letter in piece.text.lower()
        if not letter.isspace()
    ]
