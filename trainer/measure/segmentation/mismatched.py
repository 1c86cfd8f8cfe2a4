"""Synthetic pairs whose masks are exchanged: the floor, which must hurt."""

from dataclasses import replace

import numpy as np

from ...control_agreement import mismatched
from ..example_table import Table


def with_mismatched(table: Table) -> Table:
    """The table with another row for each synthetic one, at its end: its image, not its mask.

    Raises InputError for fewer than two synthetic images, of each set where they have names.
    """
    synthetic = table.synthetic
    _exchange(table)
    rows = np.arange(len(table.labels), len(table.labels) + len(synthetic))
    return replace(
        table,
        labels=np.append(table.labels, table.labels[synthetic]),
        seen=np.append(table.seen, table.seen[synthetic]),
        source=None
        if table.source is None
        else np.concatenate([table.source, table.source[synthetic]]),
        mismatched=rows,
        sets=None if table.sets is None else np.append(table.sets, table.sets[synthetic]),
    )


def map_files(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """For each row the row whose image it has, and the row whose mask; itself, if it is a pair."""
    image_of, mask_of = np.arange(len(table.labels)), np.arange(len(table.labels))
    if table.mismatched is not None:
        image_of[table.mismatched] = table.synthetic
        mask_of[table.mismatched] = _exchange(table)
    return image_of, mask_of


def _exchange(table: Table) -> np.ndarray:
    """For each synthetic row another one, of its own set."""
    exchanged = table.synthetic.copy()
    names = np.zeros(len(exchanged)) if table.sets is None else table.sets[exchanged]
    for name in np.unique(names):
        places = np.flatnonzero(names == name)
        exchanged[places] = table.synthetic[places[mismatched(len(places))]]
    return exchanged
