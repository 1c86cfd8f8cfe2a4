"""Learning curves: the metric against shots, a line an arm; the gain against ratio, a line a shots.

Places are in percent of a plot's width and height, from its top left corner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..arms import Arm
from ..results import GainRow, Results
from .chosen import arms_by_name, rows_of, shots_of, strictest
from .figures import counted, percent, points, span
from .scale import Scale, Tick, linear_scale, log_scale, round_ticks, ticks_at

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


def learning_curve(results: Results) -> Plot | None:
    """What each arm reaches at each number of shots; None when there is one number only.

    Of many arms: real only, the yardstick, and the synthetic ones whose gains are surest.
    """
    rows = [row for row in results.gains if row.against == "real only"]
    shots = shots_of(rows)
    if len(shots) < 2:
        return None
    arms = list(dict.fromkeys(row.arm for row in rows))
    shown = _shown(results, arms)
    reached = {(row.arm, row.shots): row.value for row in rows}
    reached |= {("real only", row.shots): row.baseline for row in rows}
    x = log_scale(shots)
    y = linear_scale([reached[name, s] for name in shown for s in shots if (name, s) in reached])
    lines = [_reaching(name, style, shots, reached, x, y) for style, name in enumerate(shown)]
    return Plot(
        title=f"{rows[0].metric} and number of real images",
        across="real images of each class",
        up=f"{rows[0].metric}, %",
        x=tuple(ticks_at(x, shots)),
        y=_upwards(round_ticks(y)),
        lines=tuple(lines),
        columns=tuple(f"{s:,}" for s in shots),
        left_out=len(arms) + 1 - len(shown),
    )


def _shown(results: Results, arms: Sequence[str]) -> list[str]:
    """Real only and up to five others, in the recipe's order."""
    best = sorted(rows_of(results, "synthetic"), key=lambda row: -row.low)
    wanted = [*rows_of(results, "real"), *best, *results.gains]
    kept = list(dict.fromkeys(row.arm for row in wanted))[: MOST_LINES - 1]
    return ["real only", *(arm for arm in arms if arm in kept)]


def _reaching(
    name: str,
    style: int,
    shots: Sequence[int],
    reached: Mapping[tuple[str, int], float],
    x: Scale,
    y: Scale,
) -> Line:
    known = [(s, reached[name, s]) for s in shots if (name, s) in reached]
    cells = [percent(reached[name, s]) if (name, s) in reached else "" for s in shots]
    points_ = [Point(x.at(s), _up(y, value), f"{s}: {percent(value)}") for s, value in known]
    return Line(name, style, tuple(points_), tuple(cells))


def ratio_curves(results: Results) -> list[Plot]:
    """A plot for each way of mixing that was measured at two ratios or more."""
    arms = arms_by_name(results)
    known = [row for row in strictest(results.gains) if row.arm in arms]
    ways: dict[Arm, list[GainRow]] = {}
    for row in known:
        if _ratio(arms[row.arm], row.shots) is not None:
            ways.setdefault(_way(arms[row.arm]), []).append(row)
    sized = {way: group for way, group in ways.items() if len({row.arm for row in group}) > 1}
    y = linear_scale([b for g in sized.values() for row in g for b in (row.low, row.high)], True)
    return [_ratio_plot(group, arms, y) for group in sized.values()]


def _ratio(arm: Arm, shots: int) -> float | None:
    """Added images in percent of the real ones, if that is fixed."""
    if arm.add == "nothing" or arm.ratio == "auto":
        return None
    return 100 * arm.each / shots if arm.each else float(arm.ratio)


def _way(arm: Arm) -> Arm:
    """The arm with its amount taken out: equal for arms that differ in it alone."""
    return arm.model_copy(update={"ratio": 100.0, "each": None})


def _ratio_plot(rows: Sequence[GainRow], arms: Mapping[str, Arm], y: Scale) -> Plot:
    ratios = sorted({_ratio(arms[row.arm], row.shots) or 0.0 for row in rows})
    x, shots = log_scale(ratios), shots_of(rows)
    lines = [
        _gaining([row for row in rows if row.shots == s], ratios, arms, x, y, style, len(shots))
        for style, s in enumerate(shots[: MOST_LINES - 1], 1)
    ]
    against = rows[0].against
    way = _way(arms[rows[0].arm]).name.replace(" 100 %", "")
    return Plot(
        title=f"Gain and ratio: {way}",
        across="added images in percent of the real ones",
        up="gain in points" + ("" if against == "real only" else f", against {against}"),
        x=tuple(ticks_at(x, ratios)),
        y=_upwards(round_ticks(y, signed=True)),
        lines=tuple(lines),
        columns=tuple(f"{ratio:g} %" for ratio in ratios),
        left_out=len(shots) - len(lines),
        zero=_up(y, 0.0),
    )


def _gaining(
    rows: Sequence[GainRow],
    ratios: Sequence[float],
    arms: Mapping[str, Arm],
    x: Scale,
    y: Scale,
    style: int,
    lines: int,
) -> Line:
    by_ratio = {_ratio(arms[row.arm], row.shots): row for row in rows}
    known = [(ratio, by_ratio[ratio]) for ratio in ratios if ratio in by_ratio]
    aside = 1.2 * (style - (lines + 1) / 2)  # so that intervals do not cover each other
    shots = rows[0].shots
    return Line(
        name=counted(shots, "real image"),
        style=style,
        points=tuple(
            Point(
                x.at(ratio) + aside,
                _up(y, row.gain),
                f"{ratio:g} %: {points(row.gain)} ({span(row.low, row.high)})",
                _up(y, row.low),
                _up(y, row.high),
            )
            for ratio, row in known
        ),
        cells=tuple(points(by_ratio[r].gain) if r in by_ratio else "" for r in ratios),
    )


def _up(scale: Scale, value: float) -> float:
    return round(100 - scale.at(value), 2)


def _upwards(ticks: Sequence[Tick]) -> tuple[Tick, ...]:
    return tuple(Tick(round(100 - tick.at, 2), tick.text) for tick in ticks)
