"""Connected parts of a bool mask, by the runs of its rows (no scipy in core)."""

import numpy as np


def components(mask: np.ndarray, diagonal: bool = True) -> tuple[np.ndarray, int]:
    """Numbers (height, width), 1 to n for the parts, 0 elsewhere; and n.

    Parts are numbered from the top, then from the left. `diagonal`: pixels that only share a
    corner belong together.
    """
    rows, starts, ends = _runs(mask)
    parents = list(range(len(rows)))
    first = np.searchsorted(rows, np.arange(mask.shape[0] + 1)).tolist()
    for row in range(1, mask.shape[0]):
        above, here, end = first[row - 1], first[row], first[row + 1]
        _join(parents, starts, ends, (above, here), (here, end), int(diagonal))
    roots = np.array([_root(parents, run) for run in range(len(rows))], np.int64)
    number = np.unique(roots, return_inverse=True)[1] + 1 if len(roots) else roots
    numbers = np.zeros(mask.shape, np.int32)
    for row, start, end, component in zip(rows, starts, ends, number, strict=True):
        numbers[row, start:end] = component
    return numbers, int(number.max(initial=0))


def _runs(mask: np.ndarray) -> tuple[np.ndarray, list[int], list[int]]:
    """Of each run of true pixels its row, first column, and the column behind it."""
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts.tolist(), np.nonzero(steps == -1)[1].tolist()


def _join(
    parents: list[int],
    starts: list[int],
    ends: list[int],
    upper: tuple[int, int],
    lower: tuple[int, int],
    reach: int,
) -> None:
    """Join the runs of two rows that touch; both rows are walked once."""
    above, here = upper[0], lower[0]
    while above < upper[1] and here < lower[1]:
        if starts[above] < ends[here] + reach and starts[here] < ends[above] + reach:
            first, second = _root(parents, above), _root(parents, here)
            parents[max(first, second)] = min(first, second)
        if ends[above] < ends[here]:
            above += 1
        else:
            here += 1


def _root(parents: list[int], run: int) -> int:
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run
