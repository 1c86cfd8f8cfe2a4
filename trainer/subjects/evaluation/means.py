"""The figures of each method over all classes as a table."""

from collections.abc import Sequence
from statistics import mean

from .cells import METHODS, Line, number, percent
from .results import Evaluation, Likeness, Row


def method_table(found: Evaluation, name: str) -> tuple[Line, list[Line]]:
    """Head and lines of the means of each method over all classes, by the extractor `name`."""
    by_method: dict[str, list[Row]] = {}
    for figures in found.subjects:
        for row in figures.rows:
            by_method.setdefault(row.method, []).append(row)
    return METHOD_HEAD, [_means(method, rows, name) for method, rows in by_method.items()]


METHOD_HEAD = (
    "mean over classes",
    "classes",
    "step",
    "minutes",
    "MB",
    "similarity",
    "between the bounds",
    "above the class-name prompt",
    "classes surely above",
    "diversity",
    "memorised (real photos)",
    "of its class",
    "in its context",
)


def _means(method: str, rows: Sequence[Row], name: str) -> Line:
    own: list[Likeness] = [row.likeness[name] for row in rows]
    above = [one.above for one in own if one.above]
    known = [row.memorised for row in rows if row.memorised]
    copies = (
        f"{percent(mean(one.share for one in known))} "
        f"({percent(mean(one.expected for one in known))})"
        if known
        else ""
    )
    return (
        METHODS.get(method, method),
        str(len(rows)),
        number(_mean([row.step for row in rows]), 0),
        number(_mean([row.seconds and row.seconds / 60 for row in rows]), 1),
        number(_mean([row.size and row.size / 1e6 for row in rows]), 2),
        number(_mean([one.similarity.value for one in own])),
        number(_mean([one.reached for one in own]), 2),
        f"{mean(one.value for one in above):+.3f}" if above else "",
        f"{sum(one.low > 0 for one in above)} of {len(above)}" if above else "",
        number(_mean([one.diversity for one in own]), 2),
        copies,
        percent(_mean([one.own_class for one in own])),
        percent(_mean([one.in_context for one in own])),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None
