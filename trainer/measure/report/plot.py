"""Lines between two axes, as plain values.

Places are in percent of a plot's width and height, from its top left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .scale import Scale, Tick

MOST_LINES = 6  # that colours and marks can tell apart


@dataclass(frozen=True)
class Point:
    """A value on a line. `low`, `high`: the interval's places where it is drawn."""

    x: float
    y: float
    text: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """`style`: a number from 0 that decides colour and mark. `cells`: a figure for each column."""

    name: str
    style: int
    points: tuple[Point, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Plot:
    """Lines with their axes; `zero`: the place of 0 on the upright axis if it is marked.

    `columns`: heads of the lines' cells. `left_out`: how many lines there would be besides.
    """

    title: str
    across: str
    up: str
    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    lines: tuple[Line, ...]
    columns: tuple[str, ...]
    left_out: int = 0
    zero: float | None = None


def upwards(scale: Scale, value: float) -> float:
    """The place of a value on an upright axis, which begins at the bottom."""
    return round(100 - scale.at(value), 2)


def upward_ticks(ticks: Sequence[Tick]) -> tuple[Tick, ...]:
    """The ticks of an upright axis."""
    return tuple(Tick(round(100 - tick.at, 2), tick.text) for tick in ticks)
