"""Gains of single classes as sorted bars, for the main arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from ..results import GainRow, Results
from .chosen import main_arm, strictest
from .figures import points
from .scale import Scale, Tick, linear_scale, round_ticks

MOST = 40  # bars; of more classes the best and the worst are shown
ENDS = 15


@dataclass(frozen=True)
class Bar:
    """A class's gain; the bar begins at `start` and is `length` long, places from 0 to 100."""

    name: str
    gain: str
    rises: bool
    start: float
    length: float


@dataclass(frozen=True)
class ClassGains:
    """Bars from the most helped class to the most hurt; `left_out` in the middle."""

    arm: str
    shots: int
    bars: tuple[Bar, ...]
    left_out: int
    helped: int
    hurt: int
    ticks: tuple[Tick, ...]
    zero: float


def class_gains(results: Results) -> list[ClassGains]:
    """The main arm's classes at each number of shots, on one scale."""
    name = main_arm(results)
    rows = [row for row in strictest(results.gains) if row.arm == name]
    rows = [row for row in rows if len(row.by_class) == len(results.classes)]
    scale = linear_scale([gain for row in rows for gain in row.by_class], zero=True)
    return [_of_shots(row, results.classes, scale) for row in rows]


def _of_shots(row: GainRow, classes: Sequence[str], scale: Scale) -> ClassGains:
    named = zip(classes, row.by_class, strict=True)
    ordered = sorted((p for p in named if isfinite(p[1])), key=lambda p: (-p[1], p[0]))
    shown = ordered if len(ordered) <= MOST else [*ordered[:ENDS], *ordered[-ENDS:]]
    return ClassGains(
        arm=row.arm,
        shots=row.shots,
        bars=tuple(_bar(scale, name, gain) for name, gain in shown),
        left_out=len(ordered) - len(shown),
        helped=sum(gain > 0 for _, gain in ordered),
        hurt=sum(gain < 0 for _, gain in ordered),
        ticks=tuple(round_ticks(scale, signed=True)),
        zero=scale.at(0.0),
    )


def _bar(scale: Scale, name: str, gain: float) -> Bar:
    start, end = sorted((scale.at(0.0), scale.at(gain)))
    return Bar(name, points(gain), gain >= 0, start, round(end - start, 2))
