"""What in a text is syntax for a WebUI, and mere words for CLIP Text Encode."""

import re
from collections.abc import Iterator

from .edits import read_phrase
from .networks import take_networks, write_network

_KEYWORD = re.compile(r"\b(?:AND|BREAK)\b")
_BRACKETS = re.compile(r"\[[^\[\]]*[:|][^\[\]]*\]")
_CHOICE = re.compile(r"\{[^{}]*\}")


def webui_syntax(text: str) -> str | None:
    """The first of <lora:…>, AND, BREAK, [a:b:0.5] and [a|b] in `text`, as it stands there.

    Weights, (word:1.2), are not among them: both languages have these. Nor is [word], which for
    CLIP Text Encode is a word like any other, and for some subjects their own.
    """
    return next(_find_syntax(text), None)


def _find_syntax(text: str) -> Iterator[str]:
    yield from map(write_network, take_networks(text)[1])
    yield from (match[0] for match in _KEYWORD.finditer(text))
    for match in _BRACKETS.finditer(text):
        readings = (match[0], _CHOICE.sub("x", match[0]))  # a choice may hold a | of its own
        if any(
            not isinstance(piece, str) for reading in readings for piece in read_phrase(reading)
        ):
            yield match[0]
