"""Distributions of agreement as values that a page can draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 20
HEIGHT = 100.0  # of the highest bar; all rows of a plot share it


@dataclass(frozen=True)
class Row:
    """One distribution: `bars` are heights up to HEIGHT, one a bin from 0 to 1; `middle` is the
    median, `low` and `high` the quartiles, all from 0 to 1; nan without a pair."""

    name: str
    kind: str
    count: int
    bars: tuple[float, ...]
    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassRow:
    """A class's pairs before and after; `real` is None where the yardstick has none of it."""

    name: str
    real: Row | None
    before: Row
    after: Row


def rows(named: Sequence[tuple[str, str, np.ndarray]]) -> list[Row]:
    """Rows of (name, kind, agreements), drawn to one scale: shares of each row's own pairs."""
    shares = [_shares(values) for _, _, values in named]
    highest = max((float(share.max()) for share in shares), default=0.0) or 1.0
    return [
        _row(name, kind, values, share / highest)
        for (name, kind, values), share in zip(named, shares, strict=True)
    ]


def _shares(values: np.ndarray) -> np.ndarray:
    counts = np.histogram(np.clip(values, 0, 1), BINS, (0, 1))[0]
    return counts / max(len(values), 1)


def _row(name: str, kind: str, values: np.ndarray, heights: np.ndarray) -> Row:
    low, middle, high = (
        np.quantile(values, [0.25, 0.5, 0.75]).tolist() if len(values) else [float("nan")] * 3
    )
    return Row(name, kind, len(values), tuple((HEIGHT * heights).tolist()), middle, low, high)


def class_rows(
    classes: Sequence[str],
    agreement: np.ndarray,
    keep: np.ndarray,
    real: tuple[Sequence[str], np.ndarray] | None,
) -> list[ClassRow]:
    """A row for each class of the generated pairs, the lowest median first."""
    names, table = np.array(classes), []
    for name in np.unique(names).tolist():
        here = names == name
        of_real = np.array([]) if real is None else real[1][np.array(real[0]) == name]
        before, after = (
            rows([(name, kind, agreement[selected])])[0]
            for kind, selected in (("before", here), ("after", here & keep))
        )
        shown = rows([(name, "real", of_real)])[0] if len(of_real) else None
        table.append(ClassRow(name, shown, before, after))
    return sorted(table, key=lambda row: (row.before.middle, row.name))
