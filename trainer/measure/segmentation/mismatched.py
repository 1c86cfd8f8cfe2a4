"""Synthetic pairs whose masks are exchanged: the floor, which must hurt."""

from dataclasses import replace

import numpy as np

from ...masks import mismatched
from ..table import Table


def with_mismatched(table: Table) -> Table:
    """The table with another row for each synthetic one, at its end: its image, not its mask.

    Raises InputError for fewer than two synthetic images.
    """
    own = table.synthetic
    mismatched(len(own))
    rows = np.arange(len(table.labels), len(table.labels) + len(own))
    return replace(
        table,
        labels=np.append(table.labels, table.labels[own]),
        seen=np.append(table.seen, table.seen[own]),
        source=None if table.source is None else np.concatenate([table.source, table.source[own]]),
        mismatched=rows,
    )


def files_of(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """For each row the row whose image it has, and the row whose mask; itself, if it is a pair."""
    image_of, mask_of = np.arange(len(table.labels)), np.arange(len(table.labels))
    if table.mismatched is not None:
        image_of[table.mismatched] = table.synthetic
        mask_of[table.mismatched] = table.synthetic[mismatched(len(table.synthetic))]
    return image_of, mask_of
