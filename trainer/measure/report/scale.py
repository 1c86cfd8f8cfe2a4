"""Scales: from a value to its place on an axis, in percent of the axis's length.

Places in percent let a drawing take any width without its text being stretched.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MARGIN = 0.04  # of the range, left free at both ends
NEAREST = 9.0  # percent of an axis between two ticks, so that their texts have room on a phone


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place from 0 to 100 and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, which is larger; `logarithmic` wants both above 0."""

    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a value between `low` and `high`, from 0 to 100."""
        low, high, place = (self._stretch(x) for x in (self.low, self.high, value))
        return round(100 * (place - low) / (high - low), 2)

    def _stretch(self, value: float) -> float:
        return log10(value) if self.logarithmic else value


def linear_scale(values: Iterable[float], zero: bool = False) -> Scale:
    """A scale that holds all values, and 0 if asked, with a margin."""
    finite = [value for value in values if isfinite(value)] + ([0.0] if zero else [])
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    free = MARGIN * (high - low) or max(1.0, MARGIN * abs(high))
    return Scale(low - free, high + free)


def log_scale(values: Iterable[float]) -> Scale:
    """A scale that holds all values, which are above 0, evenly spaced by their ratios."""
    finite = [value for value in values if isfinite(value)]
    low, high = min(finite, default=1.0), max(finite, default=10.0)
    factor = (high / low) ** MARGIN if high > low else 2.0
    return Scale(low / factor, high * factor, logarithmic=True)


def round_ticks(scale: Scale, most: int = 6, signed: bool = False) -> list[Tick]:
    """Up to `most` + 1 round numbers on a linear scale; `signed` writes "+5" and "−5"."""
    step = _round_step((scale.high - scale.low) / most)
    first, last = ceil(scale.low / step), floor(scale.high / step)
    digits = max(0, -floor(log10(step))) + (1 if _is_quarter(step) else 0)
    return [
        Tick(scale.at(n * step), _text(n * step, digits, signed)) for n in range(first, last + 1)
    ]


def ticks_at(scale: Scale, values: Iterable[float]) -> list[Tick]:
    """A tick at each of the rising values, without those too near to the one before."""
    ticks: list[Tick] = []
    for value in values:
        if not ticks or scale.at(value) - ticks[-1].at >= NEAREST:
            ticks.append(Tick(scale.at(value), f"{round(value, 1):g}"))
    return ticks


def _round_step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))


def _is_quarter(step: float) -> bool:
    return round(step / 10.0 ** floor(log10(step)), 6) == 2.5


def _text(value: float, digits: int, signed: bool) -> str:
    text = f"{value:+.{digits}f}" if signed and value else f"{value:.{digits}f}"
    return text.replace("-", "−")
