"""What a measurement learns from and is tested on, as one table: a row for each image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Table:
    """All images of a measurement by their row numbers; `labels` and `seen` have n entries.

    `real` (few-shot draws come from these), `synthetic` and `test` are row numbers, and no row is
    in two of them. `seen`: the generator has learned from that image, so that synthetic images may
    repeat what the real-only arm had to learn by itself. `source` (n): the row of the real or test
    image that a synthetic one was made from, -1 where there is none or none is known; None: none at
    all. `mismatched`: rows of synthetic images with another's mask, for what is learned in pairs.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    real: np.ndarray
    synthetic: np.ndarray
    test: np.ndarray
    seen: np.ndarray
    source: np.ndarray | None = None
    mismatched: np.ndarray | None = None

    def of_class(self, rows: np.ndarray, label: int) -> np.ndarray:
        """Those of `rows` that have `label`, in their order."""
        return rows[self.labels[rows] == label]
