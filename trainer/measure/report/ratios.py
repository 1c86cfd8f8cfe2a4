"""The gain against the ratio of added images, a line for each number of shots."""

from collections.abc import Mapping, Sequence

from ....core.counted import pluralize
from ..arms import Arm
from ..measure_results import GainRow, Results
from .chosen import arms_by_name, list_shots, strictest
from .plot import MOST_LINES, Line, Plot, Point, upward_ticks, upwards
from .sample_figures import points, span
from .scale import Scale, linear_scale, log_scale, round_ticks, ticks_at

ASIDE = 1.2  # percent of the width between lines, so that intervals do not cover each other
ByRatio = dict[float, GainRow]


def ratio_curves(results: Results) -> list[Plot]:
    """A plot for each way of mixing that was measured at two ratios of the same shots or more."""
    arms = arms_by_name(results)
    ways: dict[Arm, dict[int, ByRatio]] = {}
    for row in strictest(results.gains):
        ratio = _ratio(arms[row.arm], row.shots) if row.arm in arms else None
        if ratio is not None:
            way = ways.setdefault(_way(arms[row.arm]), {})
            way.setdefault(row.shots, {})[ratio] = row
    wide = {way: lines for way, lines in ways.items() if max(map(len, lines.values())) > 1}
    rows = [row for lines in wide.values() for line in lines.values() for row in line.values()]
    y = linear_scale([bound for row in rows for bound in (row.low, row.high)], zero=True)
    return [_plot(way, lines, y) for way, lines in wide.items()]


def _ratio(arm: Arm, shots: int) -> float | None:
    """Added images in percent of the real ones, if that is fixed."""
    if arm.add == "nothing" or arm.ratio == "auto":
        return None
    return 100 * arm.each / shots if arm.each else float(arm.ratio)


def _way(arm: Arm) -> Arm:
    """The arm with its amount taken out: equal for arms that differ in it alone."""
    return arm.model_copy(update={"ratio": 100.0, "each": None})


def _ratios(lines: Mapping[int, ByRatio]) -> list[float]:
    return sorted({ratio for line in lines.values() for ratio in line})


def _plot(way: Arm, by_shots: Mapping[int, ByRatio], y: Scale) -> Plot:
    rows = [row for line in by_shots.values() for row in line.values()]
    ratios, shots, against = _ratios(by_shots), list_shots(rows), rows[0].against
    shown = shots[: MOST_LINES - 1]  # the first style is that of real only
    x = log_scale(ratios)
    middle = (len(shown) - 1) / 2
    plot_lines = (
        _line(by_shots[count], ratios, x, y, place + 1, ASIDE * (place - middle))
        for place, count in enumerate(shown)
    )
    return Plot(
        title=f"Gain and ratio: {way.name.replace(' 100 %', '')}",
        across="added images in percent of the real ones",
        up="gain in points" + ("" if against == "real only" else f", against {against}"),
        x=tuple(ticks_at(x, ratios)),
        y=upward_ticks(round_ticks(y, signed=True)),
        lines=tuple(plot_lines),
        columns=tuple(f"{round(ratio, 1):g} %" for ratio in ratios),
        left_out=len(shots) - len(shown),
        zero=upwards(y, 0.0),
    )


def _line(
    rows: ByRatio, ratios: Sequence[float], x: Scale, y: Scale, style: int, aside: float
) -> Line:
    marks = (
        Point(
            round(x.at(ratio) + aside, 2),
            upwards(y, row.gain),
            f"{round(ratio, 1):g} %: {points(row.gain)} ({span(row.low, row.high)})",
            upwards(y, row.low),
            upwards(y, row.high),
        )
        for ratio, row in sorted(rows.items())
    )
    cells = (points(rows[ratio].gain) if ratio in rows else "" for ratio in ratios)
    name = pluralize(next(iter(rows.values())).shots, "real image")
    return Line(name, style, tuple(marks), tuple(cells))
