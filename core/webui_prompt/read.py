"""A whole prompt: comments and networks out, then the parts that AND joins, then their edits."""

import re
from collections.abc import Iterator

from .edits import FAR, read_phrase
from .networks import take_networks, write_network
from .values import Part, Prompt

_COMMENT = re.compile(r"#[^\n]*(?:\n|$)")
_AND = re.compile(r"\bAND\b")
_NOT = re.compile(r"\s*NOT\b")
_WEIGHT = re.compile(r":\s*([-+]?(?:\d+\.?|\d*\.\d+))$")


def parse(text: str) -> Prompt:
    """What a WebUI prompt says.

    A number at the end, `a cat :0.7`, is the weight of the part's guidance, also without an AND.
    Spaces around a part say nothing. Raises InputError as `read_phrase` does.
    """
    words, networks = take_networks(_COMMENT.sub("\n", text))
    first, *rest = _AND.split(words)
    return Prompt((_part(first), *map(_later_part, rest)), networks)


def ends_with_weight(text: str) -> bool:
    """Whether the end of a part's text would be read as its weight."""
    return _WEIGHT.search(text) is not None


def begins_with_not(text: str) -> bool:
    """Whether a part's text would be read as negated behind an AND."""
    return _NOT.match(text) is not None


def _later_part(text: str) -> Part:
    """A part behind an AND, which may begin with NOT."""
    negated = _NOT.match(text)
    if not negated:
        return _part(text)
    subprompt = _part(text[negated.end() :])
    return Part(subprompt.phrase, -subprompt.weight)


def _part(text: str) -> Part:
    text = text.strip()
    match = _WEIGHT.search(text)
    if not match:
        return Part(read_phrase(text))
    weight = max(-FAR, min(FAR, float(match[1])))
    return Part(read_phrase(text[: match.start()].strip()), float(weight))


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
