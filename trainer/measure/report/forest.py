"""The gain plot: every arm's gain with its interval on one scale, a panel for each shots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from ..arms import Arm
from ..measure_results import GainRow
from .chosen import list_shots, verdict_text
from .sample_figures import percent, points, span
from .scale import Scale, Tick, linear_scale, round_ticks


@dataclass(frozen=True)
class ForestRow:
    """`at`, `low`, `high`: places from 0 to 100, or None where there is no number."""

    row: GainRow
    verdict: str
    gain: str
    span: str
    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Panel:
    """The gains at one number of shots."""

    shots: int
    baseline: str
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True)
class Forest:
    """All panels; `zero`: the place of no gain."""

    panels: tuple[Panel, ...]
    ticks: tuple[Tick, ...]
    zero: float


def forest(gains: Sequence[GainRow], arms: Mapping[str, Arm]) -> Forest:
    """One scale for all panels, so that they can be compared."""
    scale = linear_scale([bound for row in gains for bound in (row.low, row.high)], zero=True)
    panels = tuple(_panel(scale, shots, gains, arms) for shots in list_shots(gains))
    return Forest(panels, tuple(round_ticks(scale, signed=True)), scale.at(0.0))


def _panel(scale: Scale, shots: int, gains: Sequence[GainRow], arms: Mapping[str, Arm]) -> Panel:
    rows = [row for row in gains if row.shots == shots]
    forest_rows = tuple(_row(scale, row, verdict_text(row, arms)) for row in rows)
    return Panel(shots, percent(rows[0].baseline), forest_rows)


def _row(scale: Scale, row: GainRow, verdict: str) -> ForestRow:
    bounds = (row.gain, row.low, row.high)
    has_interval = all(map(isfinite, bounds))
    at, low, high = (scale.at(bound) if has_interval else None for bound in bounds)
    return ForestRow(row, verdict, points(row.gain), span(row.low, row.high), at, low, high)
