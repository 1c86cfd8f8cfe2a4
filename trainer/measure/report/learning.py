"""Learning curves: the metric against shots, a line an arm."""

from collections.abc import Mapping, Sequence

from ..results import Results
from .chosen import rows_of, shots_of
from .figures import percent
from .plot import MOST_LINES, Line, Plot, Point, upward_ticks, upwards
from .scale import Scale, linear_scale, log_scale, round_ticks, ticks_at

Reached = Mapping[tuple[str, int], float]  # what an arm reaches at a number of shots, in percent


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
    x, y = log_scale(shots), linear_scale([v for (arm, _), v in reached.items() if arm in shown])
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


def _shown(results: Results, arms: Sequence[str]) -> list[str]:
    """Real only and up to five others, in the recipe's order."""
    best = sorted(rows_of(results, "synthetic"), key=lambda row: -row.low)
    wanted = [*rows_of(results, "real"), *best, *results.gains]
    kept = list(dict.fromkeys(row.arm for row in wanted))[: MOST_LINES - 1]
    return ["real only", *(arm for arm in arms if arm in kept)]


def _line(
    name: str, style: int, shots: Sequence[int], reached: Reached, x: Scale, y: Scale
) -> Line:
    values = {count: reached[name, count] for count in shots if (name, count) in reached}
    points = (
        Point(x.at(count), upwards(y, value), f"{count:,}: {percent(value)}")
        for count, value in values.items()
    )
    cells = (percent(values[count]) if count in values else "" for count in shots)
    return Line(name, style, tuple(points), tuple(cells))
