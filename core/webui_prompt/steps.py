"""Prompt editing, step by step: which words a phrase has when."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from .values import Alternation, Edit, Phrase


@dataclass(frozen=True, slots=True)
class Counting:
    """How the `when` of edits is counted.

    base_steps: for the second pass of hires fix, the steps of the first. The second counts on: its
    first step is base_steps + 1, and its fractions go from 1 to 2. Image to image has no rule of
    its own: it counts the steps that it would take at full denoising strength, and ends early.
    old: as before WebUI 1.6, where every number below 1 is a fraction and all others are steps.
    Now 1.0 is all steps and 1 is the first step. For hires fix the old way counts as for a first
    pass.
    """

    base_steps: int = 0
    old: bool = False

    def last_step(self, when: int | float, steps: int) -> int:
        """The last step of an edit's first words; below 1 they never come."""
        if self.old:
            return min(steps, int(when * steps if when < 1 else when))
        if isinstance(when, int):
            return min(steps, when - self.base_steps)
        return min(steps, int((when - (1.0 if self.base_steps else 0.0)) * steps))


FIRST_PASS = Counting()


class Stretch(NamedTuple):
    """The words up to and with step `last`, counted from 1."""

    last: int
    text: str


def text_at(phrase: Phrase, step: int, steps: int, counting: Counting = FIRST_PASS) -> str:
    """The words at `step` (1 to `steps`)."""
    return "".join([_text(item, step, steps, counting) for item in phrase])


def schedule(phrase: Phrase, steps: int, counting: Counting = FIRST_PASS) -> tuple[Stretch, ...]:
    """The words of all `steps` (at least 1), in stretches that end where an edit ends."""
    ends = sorted({steps, *_ends(phrase, steps, counting)})
    return tuple(Stretch(end, text_at(phrase, end, steps, counting)) for end in ends)


def texts_by_step(stretches: Sequence[Stretch], count: int) -> tuple[str, ...]:
    """The words of the first `count` evaluations of the model, as the WebUI draws.

    Its samplers count evaluations from 0 and take the first stretch whose `last` is not below
    that: the first stretch draws one evaluation more than it says, and all later ones follow one
    later. (Samplers of second order evaluate twice a step; the WebUI doubles their steps.)
    """
    return tuple(
        next((text for last, text in stretches if number <= last), stretches[0].text)
        for number in range(count)
    )


def runs(texts: Sequence[str]) -> tuple[Stretch, ...]:
    """Equal neighbours as one stretch."""
    stretches: list[Stretch] = []
    for text, group in groupby(texts):
        stretches.append(Stretch((stretches[-1].last if stretches else 0) + len(list(group)), text))
    return tuple(stretches)


def _text(item: str | Edit | Alternation, step: int, steps: int, counting: Counting) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, Alternation):
        return text_at(item.options[(step - 1) % len(item.options)], step, steps, counting)
    early = step <= counting.last_step(item.when, steps)
    return text_at(item.before if early else item.after, step, steps, counting)


def _ends(phrase: Phrase, steps: int, counting: Counting) -> set[int]:
    """The steps after which something in the phrase changes."""
    ends: set[int] = set()
    for item in phrase:
        if isinstance(item, Alternation):
            ends.update(range(1, steps + 1))
        elif isinstance(item, Edit):
            ends.add(counting.last_step(item.when, steps))
            ends |= _ends(item.before, steps, counting) | _ends(item.after, steps, counting)
    return {end for end in ends if end >= 1}
