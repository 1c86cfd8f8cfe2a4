"""Run lengths there and back, for what the tests encode."""

from collections.abc import Sequence

import numpy as np
from manyshot.core.masks.rle import check_runs, fill_runs


def decode_runs(counts: Sequence[int] | str | bytes, height: int, width: int) -> np.ndarray:
    """A bool mask (height, width) of compressed or plain runs. Raises InputError."""
    return fill_runs(check_runs(counts, height, width), height, width)


def encode_runs(mask: np.ndarray) -> list[int]:
    """Plain runs of a bool mask (height, width)."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask[-1, -1]]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(ends, prepend=0).tolist()
