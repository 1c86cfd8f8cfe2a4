"""The open outline of trimaps: taken away before a mask is varied, drawn again at a fixed width."""

import numpy as np

NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def without_border(labels: np.ndarray, ignored: int, widest: int | None = None) -> np.ndarray:
    """Labels (height, width) whose ignored pixels have the label that lies nearest.

    Both sides grow by turns of one pixel until they meet, or for `widest` turns: what lies deeper
    in an ignored area than that was no outline and stays ignored.
    """
    turns = max(labels.shape) if widest is None else widest
    filled = labels
    for _ in range(turns):
        grown = _grow(filled, ignored)
        if np.array_equal(grown, filled):
            break
        filled = grown
    return filled


def with_border(labels: np.ndarray, width: int, ignored: int) -> np.ndarray:
    """Labels with all pixels ignored from which another label is at most `width` pixels away.

    The outline is so 2 * `width` pixels wide, along the canvas's edge there is none, and what is
    thinner than 2 * `width` + 1 pixels becomes outline as a whole.
    """
    labelled, values = labels != ignored, labels.astype(int)
    highest = _highest(np.where(labelled, values, -1), width)
    lowest = -_highest(np.where(labelled, -values, -(2**16)), width)
    return np.where(highest == lowest, labels, labels.dtype.type(ignored))


def _grow(labels: np.ndarray, ignored: int) -> np.ndarray:
    """Ignored pixels take the label beside them, or else that at a corner."""
    height, width = labels.shape
    around = np.pad(labels, 1, constant_values=ignored)
    grown = labels.copy()
    for down, right in NEIGHBOURS:
        beside = around[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        grown = np.where(grown == ignored, beside, grown)
    return grown


def _highest(values: np.ndarray, reach: int) -> np.ndarray:
    """The greatest of the values at most `reach` rows and columns away."""
    for axis in (0, 1):
        count = values.shape[axis]
        padded = np.pad(values, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], "edge")
        shifts = [np.take(padded, np.arange(s, s + count), axis) for s in range(2 * reach + 1)]
        values = np.maximum.reduce(shifts)
    return values
