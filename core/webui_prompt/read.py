"""A whole prompt: comments and networks out, then the parts that AND joins, then their edits."""

import re

from .edits import FAR, read_phrase
from .networks import take_networks
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
