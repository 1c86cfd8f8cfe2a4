"""Prompt editing, read: `[from:to:when]`, `[to:when]`, `[from::when]`, `[a|b]`.

Brackets that enclose no edit stay in the text, for attention.py. Edits hold edits and balanced
brackets only: a bracket that matches nothing is a letter, and so are all brackets around it. As
in the WebUI, a | that does not stand between the options of an alternation, or a backslash at
the end of a line, makes the whole text literal: nothing in it is edited.

Where a bracket that matches nothing follows an edit at once, the WebUI's own reading changes
from run to run (its grammar is ambiguous there). Here an edit is always an edit.
"""

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from ..errors import InputError
from .values import Alternation, Edit, Phrase

MAX_DEPTH = 50  # edits in edits
FAR = 1_000_000  # steps, or times all steps: as good as never

_TOKEN = re.compile(r"(?P<text>(?:[^\\\[\]():|]|\\.)+)|(?P<sign>[\[\]():|])|(?P<stray>\\)")
_WHEN = re.compile(r"\s*([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)\s*", re.ASCII)
_OPENS = {")": "(", "]": "["}


class _Sign(NamedTuple):
    """A : or | that separates what is in a bracket."""

    sign: str


_Item = str | Edit | Alternation | _Sign


@dataclass
class _Bracket:
    """An open bracket and what was read behind it. The outermost one, the text, has no sign."""

    sign: str
    items: list[_Item] = field(default_factory=list)
    depth: int = 0  # edits in edits among the items


class _LiteralError(Exception):
    """The text is nothing of the grammar, and stays as it is."""


def read_phrase(text: str) -> Phrase:
    """The words and edits of a text. Raises InputError for edits nested deeper than MAX_DEPTH."""
    try:
        return _join(_read(text))
    except _LiteralError:
        return (text,)


def _read(text: str) -> list[_Item]:
    """The items of the outermost level, separators included."""
    brackets = [_Bracket("")]
    for token in _TOKEN.finditer(text):
        sign = token["sign"]
        if token["stray"]:
            raise _LiteralError
        if not sign:
            brackets[-1].items.append(token["text"])
        elif sign in "([":
            brackets.append(_Bracket(sign))
        elif sign in ":|":
            brackets[-1].items.append(_Sign(sign))
        else:
            _close(brackets, sign)
    _dissolve(brackets)
    return brackets[0].items


def _close(brackets: list[_Bracket], sign: str) -> None:
    """The innermost bracket becomes what it is, or a letter, and then all brackets do."""
    bracket = brackets[-1]
    items = _read_bracket(bracket) if bracket.sign == _OPENS[sign] else ()
    if not items:
        _dissolve(brackets)
        brackets[0].items.append(sign)
        return
    depth = bracket.depth + isinstance(items[0], Edit | Alternation)
    if depth > MAX_DEPTH:
        raise InputError(f"The prompt nests [from:to:when] more than {MAX_DEPTH} deep.")
    del brackets[-1]
    brackets[-1].items += items
    brackets[-1].depth = max(brackets[-1].depth, depth)


def _dissolve(brackets: list[_Bracket]) -> None:
    for bracket in brackets[1:]:
        brackets[0].items += [bracket.sign, *bracket.items]
        brackets[0].depth = max(brackets[0].depth, bracket.depth)
    del brackets[1:]


def _read_bracket(bracket: _Bracket) -> Phrase:
    """What goes in the place of a closed bracket; nothing if the grammar does not know it."""
    signs = [item.sign for item in bracket.items if isinstance(item, _Sign)]
    if bracket.sign == "(":
        return _join(["(", *bracket.items, ")"]) if signs in ([], [":"]) else ()
    if not signs:
        return _join(["[", *bracket.items, "]"])
    if len(set(signs)) > 1:
        return ()
    phrases = _split(bracket.items)
    return (Alternation(phrases),) if signs[0] == "|" else _edit(*phrases)


def _edit(*phrases: Phrase) -> Phrase:
    *words, when = phrases
    number = _WHEN.fullmatch(when[0]) if len(when) == 1 and isinstance(when[0], str) else None
    if not number or len(words) > 2:
        return ()
    return (Edit(words[0] if len(words) == 2 else (), words[-1], _when(number[1])),)


def _when(text: str) -> int | float:
    value = max(-FAR, min(FAR, float(text)))
    return float(value) if "." in text else int(value)


def _split(items: list[_Item]) -> tuple[Phrase, ...]:
    parts: list[list[_Item]] = [[]]
    for item in items:
        if isinstance(item, _Sign):
            parts.append([])
        else:
            parts[-1].append(item)
    return tuple(_join(group) for group in parts)


def _join(items: list[_Item]) -> Phrase:
    """As a phrase: neighbouring texts and colons become one text."""
    if _Sign("|") in items:
        raise _LiteralError
    plain = [item.sign if isinstance(item, _Sign) else item for item in items]
    parts: list[str | Edit | Alternation] = []
    for is_text, group in groupby(plain, lambda item: isinstance(item, str)):
        pieces = list(group)
        parts += ["".join(map(str, pieces))] if is_text else pieces
    return tuple(parts)
