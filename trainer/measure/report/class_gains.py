"""Gains of single classes as sorted bars, for the main arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan

from ..measure_results import GainRow, Results
from .chosen import main_arm, strictest
from .sample_figures import points, span
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
    ends = [
        end
        for _, group in groups
        for class_gain in group
        for end in (class_gain.gain, class_gain.low, class_gain.high)
    ]
    scale = linear_scale(ends, zero=True)
    return [_of_shots(row, group, scale) for row, group in groups]


def _of_row(row: GainRow, classes: Sequence[str]) -> list[ClassGain]:
    bounds = row.class_bounds or [(nan, nan)] * len(classes)
    values = zip(classes, row.by_class, bounds, strict=True)
    return [ClassGain(name, gain, *ends) for name, gain, ends in values]


def _of_shots(row: GainRow, group: Sequence[ClassGain], scale: Scale) -> ClassGains:
    ordered = sorted(
        (class_gain for class_gain in group if isfinite(class_gain.gain)),
        key=lambda c: (-c.gain, c.name),
    )
    shown = ordered if len(ordered) <= MOST else [*ordered[:ENDS], *ordered[-ENDS:]]
    return ClassGains(
        arm=row.arm,
        shots=row.shots,
        bars=tuple(_bar(scale, class_gain) for class_gain in shown),
        left_out=len(ordered) - len(shown),
        summary=summary(ordered),
        ticks=tuple(round_ticks(scale, signed=True)),
        zero=scale.at(0.0),
    )


def summary(group: Sequence[ClassGain]) -> str:
    """ "1 class gains, none loses; for 2 of 3 it cannot be told", by intervals."""
    if not any(isfinite(class_gain.low) for class_gain in group):
        return f"{count_classes(len(group))} without intervals"
    gain, lose = (
        sum(class_gain.low > 0 for class_gain in group),
        sum(class_gain.high < 0 for class_gain in group),
    )
    unclear = len(group) - gain - lose
    gains = "no class gains" if not gain else f"{count_classes(gain)} {_verb(gain, 'gain')}"
    loses = f"{f'{lose:,}' if lose else 'none'} {_verb(lose or 1, 'lose')}"
    rest = f"; for {unclear:,} of {len(group):,} it cannot be told" if unclear else ""
    return f"{gains}, {loses}{rest}"


def _verb(count: int, stem: str) -> str:
    return stem + ("s" if count == 1 else "")


def count_classes(number: int) -> str:
    """ "1 class", "37 classes"."""
    return f"{number:,} class" + ("" if number == 1 else "es")


def _bar(scale: Scale, class_gain: ClassGain) -> Bar:
    start, end = sorted((scale.at(0.0), scale.at(class_gain.gain)))
    has_interval = isfinite(class_gain.low) and isfinite(class_gain.high)
    low, high = (
        scale.at(end) if has_interval else None for end in (class_gain.low, class_gain.high)
    )
    text = span(class_gain.low, class_gain.high) if has_interval else ""
    length = round(end - start, 2)
    return Bar(
        class_gain.name,
        points(class_gain.gain),
        text,
        class_gain.gain >= 0,
        start,
        length,
        low,
        high,
    )
