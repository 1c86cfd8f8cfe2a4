"""What a measurement learns from and is tested on, as one table: a row for each image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Table:
    """All images of a measurement by their row numbers; `labels` and `seen` have n entries.

    `real` (few-shot draws come from these), `synthetic` and `test` are row numbers, and no row is
    in two of them. `seen`: the generator has learned from that image, so that synthetic images may
    repeat what the real-only arm had to learn by itself. `source` (n, most): the rows of the real
    and test images that a synthetic one comes from, made from or by a subject learned from them; -1
    where there are no more or it is not known; None: none at all. `mismatched`: rows of synthetic
    images with another's mask, for what is learned in pairs. `sets` (n): which of several named
    folders a synthetic row is of, "" for all others; None without names.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    real: np.ndarray
    synthetic: np.ndarray
    test: np.ndarray
    seen: np.ndarray
    source: np.ndarray | None = None
    mismatched: np.ndarray | None = None
    sets: np.ndarray | None = None

    def comes_from(self, rows: np.ndarray, photos: np.ndarray) -> np.ndarray:
        """Whether each of `rows` comes from any of the rows `photos`."""
        if self.source is None:
            return np.zeros(len(rows), bool)
        return np.asarray(np.isin(self.source[rows], photos).any(axis=1))

    def comes_only_from(self, rows: np.ndarray, photos: np.ndarray) -> np.ndarray:
        """Whether all that is known of where each of `rows` comes from is among `photos`."""
        if self.source is None:
            return np.ones(len(rows), bool)
        source = self.source[rows]
        return np.asarray(((source < 0) | np.isin(source, photos)).all(axis=1))

    def of_class(self, rows: np.ndarray, label: int) -> np.ndarray:
        """Those of `rows` that have `label`, in their order."""
        return rows[self.labels[rows] == label]
