"""COCO's run-length encoding: runs of 0 and 1 in turn, down the columns, first column first.

The compressed form writes each run as a signed number of 5-bit groups, from the fourth on as the
difference to the run two places before (pycocotools, common/maskApi.c, rleFrString).
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError


def decoded(counts: Sequence[int] | str | bytes, height: int, width: int) -> np.ndarray:
    """A bool mask (height, width) of compressed or plain runs. Raises InputError."""
    runs = _runs(counts) if isinstance(counts, str | bytes) else list(counts)
    if not all(isinstance(run, int) and run >= 0 for run in runs) or sum(runs) != height * width:
        raise InputError(f"The RLE mask does not fill {width}x{height} pixels: it is damaged.")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape((width, height)).T


def encoded(mask: np.ndarray) -> list[int]:
    """Plain runs of a bool mask (height, width)."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask[-1, -1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(ends, prepend=0).tolist()


def _runs(text: str | bytes) -> list[int]:
    data = text.encode("latin-1", "replace") if isinstance(text, str) else text
    runs: list[int] = []
    value, place = 0, 0
    for byte in data:
        group = byte - 48
        if not 0 <= group < 64 or place > 12:
            raise InputError("The compressed RLE mask has characters that belong to none.")
        value |= (group & 31) << (5 * place)
        place += 1
        if not group & 32:
            value = value - (1 << (5 * place)) if group & 16 else value
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value, place = 0, 0
    if place:
        raise InputError("The compressed RLE mask ends within a number: it was cut off.")
    return runs
