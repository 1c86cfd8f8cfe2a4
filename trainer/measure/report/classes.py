"""Gains of single classes as sorted bars, for the main arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

from ..results import GainRow, Results
from .chosen import main_arm, strictest
from .figures import points, span
from .scale import Scale, Tick, linear_scale, round_ticks

MOST = 40  # bars; of more classes the best and the worst are shown
ENDS = 15


@dataclass(frozen=True)
class Bar:
    """A class's gain; the bar begins at `start` and is `length` long, places from 0 to 100.

    `low`, `high`: the places of its interval, None where there is none.
    """

    name: str
    gain: str
    span: str
    rises: bool
    start: float
    length: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ClassGains:
    """Bars from the most helped class to the most hurt; `left_out` in the middle.

    `summary`: how many gain and lose, by intervals that are widened for the number of classes.
    """

    arm: str
    shots: int
    bars: tuple[Bar, ...]
    left_out: int
    summary: str
    ticks: tuple[Tick, ...]
    zero: float


@dataclass(frozen=True)
class ClassGain:
    """A class's gain in points with its bounds, nan where there are none."""

    name: str
    gain: float
    low: float
    high: float


def class_gains(results: Results) -> list[ClassGains]:
    """The main arm's classes at each number of shots, on one scale."""
    name = main_arm(results)
    rows = [row for row in strictest(results.gains) if row.arm == name]
    rows = [row for row in rows if len(row.by_class) == len(results.classes)]
    groups = [(row, _of_row(row, results.classes)) for row in rows]
    ends = [end for _, group in groups for one in group for end in (one.gain, one.low, one.high)]
    scale = linear_scale(ends, zero=True)
    return [_of_shots(row, group, scale) for row, group in groups]


def _of_row(row: GainRow, classes: Sequence[str]) -> list[ClassGain]:
    bounds = row.class_bounds or [(nan, nan)] * len(classes)
    found = zip(classes, row.by_class, bounds, strict=True)
    return [ClassGain(name, gain, *ends) for name, gain, ends in found]


def _of_shots(row: GainRow, group: Sequence[ClassGain], scale: Scale) -> ClassGains:
    ordered = sorted((one for one in group if isfinite(one.gain)), key=lambda c: (-c.gain, c.name))
    shown = ordered if len(ordered) <= MOST else [*ordered[:ENDS], *ordered[-ENDS:]]
    return ClassGains(
        arm=row.arm,
        shots=row.shots,
        bars=tuple(_bar(scale, one) for one in shown),
        left_out=len(ordered) - len(shown),
        summary=summary(ordered),
        ticks=tuple(round_ticks(scale, signed=True)),
        zero=scale.at(0.0),
    )


def summary(group: Sequence[ClassGain]) -> str:
    """ "1 class gains, none loses; for 2 of 3 it cannot be told", by intervals."""
    if not any(isfinite(one.low) for one in group):
        return f"{counted_classes(len(group))} without intervals"
    gain, lose = sum(one.low > 0 for one in group), sum(one.high < 0 for one in group)
    unclear = len(group) - gain - lose
    gains = "no class gains" if not gain else f"{counted_classes(gain)} {_verb(gain, 'gain')}"
    loses = f"{f'{lose:,}' if lose else 'none'} {_verb(lose or 1, 'lose')}"
    rest = f"; for {unclear:,} of {len(group):,} it cannot be told" if unclear else ""
    return f"{gains}, {loses}{rest}"


def _verb(count: int, stem: str) -> str:
    return stem + ("s" if count == 1 else "")


def counted_classes(number: int) -> str:
    """ "1 class", "37 classes"."""
    return f"{number:,} class" + ("" if number == 1 else "es")


def _bar(scale: Scale, one: ClassGain) -> Bar:
    start, end = sorted((scale.at(0.0), scale.at(one.gain)))
    known = isfinite(one.low) and isfinite(one.high)
    low, high = (scale.at(end) if known else None for end in (one.low, one.high))
    text = span(one.low, one.high) if known else ""
    length = round(end - start, 2)
    return Bar(one.name, points(one.gain), text, one.gain >= 0, start, length, low, high)
