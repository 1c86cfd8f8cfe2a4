r"""Attention: how much each of the words counts.

    (x) times 1.1   [x] times 1/1.1   (x:1.3) times 1.3   \( \) \[ \] \\ the sign itself

Brackets that are never closed reach to the end; what closes nothing is a letter, and a backslash
before any other letter is left out. Round and square brackets are matched each for themselves.
"""

import math
import re

from ..errors import InputError
from .values import Weighted

ROUND = 1.1
SQUARE = 1 / 1.1
BREAK = Weighted("BREAK", -1.0)  # between chunks

_TOKEN = re.compile(
    r"\\(?P<escaped>[()\[\]\\]?)|(?P<open>[(\[])|:\s*(?P<weight>[+-]?[.\d]+)\s*\)"
    r"|(?P<close>[)\]])|[^\\()\[\]:]+|:"
)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")


def parse_weights(text: str) -> tuple[Weighted, ...]:
    """The words of a text with their weights, neighbours of equal weight joined; at least one.

    BREAK comes as a piece of its own, `BREAK`. Inside of brackets with a weight it is no break,
    but the word with the negative weight, as in the WebUI. Raises InputError for a weight that is
    no number, as in (x:1.2.3), which the WebUI cannot draw either.
    """
    pieces = _Pieces()
    for token in _TOKEN.finditer(text):
        pieces.add(token)
    return pieces.join()


def chunks(text: str) -> tuple[tuple[Weighted, ...], ...]:
    """The weighted words between the BREAKs of a text, each chunk encoded by itself; at least one.

    Raises InputError as `parse_weights` does.
    """
    groups: list[list[Weighted]] = [[]]
    for piece in parse_weights(text):
        if piece == BREAK:
            groups.append([])
        elif piece.text:
            groups[-1].append(piece)
    if len(groups) > 1 and not "".join(piece.text for piece in groups[-1]).strip():
        del groups[-1]  # a BREAK at the end begins no chunk
    return tuple(map(tuple, groups))


class _Pieces:
    """The pieces read so far, and where the open brackets began among them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.weights: list[float] = []
        self.open: dict[str, list[int]] = {"(": [], "[": []}

    def add(self, token: re.Match[str]) -> None:
        if token["open"]:
            self.open[token["open"]].append(len(self.texts))
        elif token["escaped"] is not None:
            self._append(token["escaped"])
        elif token["weight"] and self.open["("]:
            self._multiply("(", _number(token["weight"]))
        elif token["close"] == ")" and self.open["("]:
            self._multiply("(", ROUND)
        elif token["close"] == "]" and self.open["["]:
            self._multiply("[", SQUARE)
        else:
            self._append_words(token.group())

    def join(self) -> tuple[Weighted, ...]:
        while self.open["("]:
            self._multiply("(", ROUND)
        while self.open["["]:
            self._multiply("[", SQUARE)
        pieces: list[Weighted] = []
        for text, weight in zip(self.texts, self.weights, strict=True):
            if pieces and pieces[-1].weight == weight:
                text = pieces.pop().text + text
            pieces.append(Weighted(text, weight))
        return tuple(pieces) or (Weighted("", 1.0),)

    def _append(self, text: str, weight: float = 1.0) -> None:
        self.texts.append(text)
        self.weights.append(weight)

    def _append_words(self, text: str) -> None:
        first, *rest = _BREAK.split(text)
        self._append(first)
        for other in rest:
            self._append(*BREAK)
            self._append(other)

    def _multiply(self, sign: str, factor: float) -> None:
        """Everything since the last open bracket of a kind, which is closed by that."""
        for index in range(self.open[sign].pop(), len(self.weights)):
            self.weights[index] *= factor
            if not math.isfinite(self.weights[index]):
                raise InputError("The prompt's attention weights multiply to infinity.")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(
            f"The prompt has the weight {text[:20]!r}, which is not a number. Write (words:1.2), "
            r"or \( and \) for literal brackets."
        )
    return value
