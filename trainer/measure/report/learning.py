"""Learning curves: the metric against shots, a line an arm."""

from collections.abc import Mapping, Sequence

from ..measure_results import Bounds, Results
from .chosen import list_shots, select_rows
from .plot import MOST_LINES, Line, Plot, Point, upward_ticks, upwards
from .sample_figures import percent
from .scale import Scale, linear_scale, log_scale, round_ticks, ticks_at

# What an arm reaches at a number of shots, in percent, with its interval.
Reached = Mapping[tuple[str, int], tuple[float, Bounds | None]]


def learning_curve(results: Results) -> Plot | None:
    """What each arm reaches at each number of shots; None when there is one number only.

    Of many arms: real only, the yardstick, and the synthetic ones whose gains are surest.
    """
    rows = [row for row in results.gains if row.against == "real only"]
    shots = list_shots(rows)
    if len(shots) < 2:
        return None
    arms = list(dict.fromkeys(row.arm for row in rows))
    shown = _choose_arms(results, arms)
    reached = {(row.arm, row.shots): (row.value, row.value_bounds) for row in rows}
    reached |= {("real only", row.shots): (row.baseline, row.baseline_bounds) for row in rows}
    values = [value for (arm, _), value in reached.items() if arm in shown]
    ends = [end for value, bounds in values for end in (value, *(bounds or ()))]
    x, y = log_scale(shots), linear_scale(ends)
    lines = (_line(name, style, shots, reached, x, y) for style, name in enumerate(shown))
    return Plot(
        title=f"{rows[0].metric} and number of real images",
        across="real images of each class",
        up=f"{rows[0].metric}, %",
        x=tuple(ticks_at(x, shots)),
        y=upward_ticks(round_ticks(y)),
        lines=tuple(lines),
        columns=tuple(f"{count:,}" for count in shots),
        left_out=len(arms) + 1 - len(shown),
    )


def _choose_arms(results: Results, arms: Sequence[str]) -> list[str]:
    """Real only and up to five others, in the recipe's order."""
    best = sorted(select_rows(results, "synthetic"), key=lambda row: -row.low)
    candidates = [*select_rows(results, "real"), *best, *results.gains]
    best_arms = list(dict.fromkeys(row.arm for row in candidates))[: MOST_LINES - 1]
    return ["real only", *(arm for arm in arms if arm in best_arms)]


def _line(
    name: str, style: int, shots: Sequence[int], reached: Reached, x: Scale, y: Scale
) -> Line:
    values = {count: reached[name, count] for count in shots if (name, count) in reached}
    points = (_point(x.at(count), y, count, *value) for count, value in values.items())
    cells = (percent(values[count][0]) if count in values else "" for count in shots)
    return Line(name, style, tuple(points), tuple(cells))


def _point(x: float, y: Scale, shots: int, value: float, bounds: Bounds | None) -> Point:
    text = f"{shots:,}: {percent(value)}"
    if bounds is None:
        return Point(x, upwards(y, value), text)
    low, high = (upwards(y, end) for end in bounds)
    return Point(
        x, upwards(y, value), f"{text} ({percent(bounds[0])} to {percent(bounds[1])})", low, high
    )
