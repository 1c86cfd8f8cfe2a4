"""A phrase: text with choices and slots, read once (core/wildcards.py) and rendered many times."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for words that are known only when the phrase is rendered."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """From `least` to `most` different options, joined by `separator`.

    `longest` (characters) is kept, not computed on demand: lists share choices, and walking
    them again would double at every level.
    """

    options: "tuple[Phrase, ...]"
    weights: tuple[float, ...]
    least: int = 1
    most: int = 1
    separator: str = ","
    longest: int = 0


Phrase = tuple[str | Slot | Choice, ...]
Draw = Callable[[], float]  # a number in [0, 1)


def render(phrase: Phrase, words: Mapping[str, str], draw: Draw) -> str:
    """The phrase as text; `words` fills the slots, every choice takes its luck from `draw`."""
    return "".join([_text(piece, words, draw) for piece in phrase])


def find_slots(phrase: Phrase) -> set[str]:
    """The names of the slots in the phrase, also inside its choices."""
    names: set[str] = set()
    for piece in phrase:
        if isinstance(piece, Slot):
            names.add(piece.name)
        elif isinstance(piece, Choice):
            names.update(*map(find_slots, piece.options))
    return names


def longest(phrase: Phrase) -> int:
    """Characters the phrase can have at most, its slots not counted."""
    return sum(
        len(piece) if isinstance(piece, str) else piece.longest if isinstance(piece, Choice) else 0
        for piece in phrase
    )


def _text(piece: str | Slot | Choice, words: Mapping[str, str], draw: Draw) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Slot):
        return words[piece.name]
    return _choose(piece, words, draw)


def _choose(choice: Choice, words: Mapping[str, str], draw: Draw) -> str:
    count = choice.least
    if choice.most > choice.least:
        count += int(draw() * (choice.most - choice.least + 1))
    options = list(zip(choice.options, choice.weights, strict=True))
    picked = [options.pop(_pick([weight for _, weight in options], draw))[0] for _ in range(count)]
    return choice.separator.join([render(option, words, draw) for option in picked])


def _pick(weights: Sequence[float], draw: Draw) -> int:
    """An index, with a chance in proportion to its weight."""
    mark = draw() * sum(weights)
    for index, weight in enumerate(weights):
        mark -= weight
        if mark < 0:
            return index
    return max(index for index, weight in enumerate(weights) if weight)  # rounding at the end
