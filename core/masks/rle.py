"""COCO's run-length encoding: runs of 0 and 1 in turn, down the columns, first column first.

The compressed form writes each run as a signed number of 5-bit groups, from the fourth on as the
difference to the run two places before (pycocotools, common/maskApi.c, rleFrString).
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError

MOST_GROUPS = 12  # of 5 bits, so that a number has less than 64


def fill_runs(runs: np.ndarray, height: int, width: int) -> np.ndarray:
    """A bool mask (height, width) of `check_runs`."""
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape((width, height)).T


def check_runs(counts: Sequence[int] | str | bytes, height: int, width: int) -> np.ndarray:
    """The runs as numbers that fill the mask; no pixel is made. Raises InputError."""
    pixels = height * width
    runs = _runs(counts) if isinstance(counts, str | bytes) else _numbers(counts, pixels)
    if not runs.size or runs.min() < 0 or runs.max() > pixels or int(runs.sum()) != pixels:
        raise InputError(f"The RLE mask does not fill {width}x{height} pixels: it is damaged.")
    return runs


def _numbers(counts: Sequence[int], most: int) -> np.ndarray:
    """Plain runs; -1, which is none, for what is no number of pixels up to `most`."""
    fine = (isinstance(run, int) and 0 <= run <= most for run in counts)
    return np.array(counts if all(fine) else [-1], np.int64)


def _runs(text: str | bytes) -> np.ndarray:
    data = text.encode("latin-1", "replace") if isinstance(text, str) else text
    groups = np.frombuffer(data, np.uint8).astype(np.int64) - 48
    last = groups & 32 == 0  # of a number
    if not groups.size or not last[-1]:
        raise InputError("The compressed RLE mask ends inside a number: it is truncated.")
    starts = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1])
    lengths = np.diff(starts, append=len(groups))
    if groups.min() < 0 or groups.max() > 63 or lengths.max() > MOST_GROUPS:
        raise InputError("The compressed RLE mask contains invalid characters.")
    places = 5 * (np.arange(len(groups)) - np.repeat(starts, lengths))
    values = np.add.reduceat((groups & 31) << places, starts)
    negative = groups[last] & 16 != 0
    values = np.where(negative, values - (1 << (5 * lengths)), values)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
