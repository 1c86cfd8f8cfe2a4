"""Few-shot draws: which real images an experiment may learn from, decided by a seed alone."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ...core.errors import InputError
from .table import Table

MOST_FOLDS = 5


@dataclass(frozen=True)
class Draw:
    """`shots`: rows of the real images, class by class. `spare`: for each label the rows left."""

    seed: int
    count: int
    shots: np.ndarray
    spare: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Fold:
    """A part of a draw's shots to learn from, and the rest to be tested on; both are rows."""

    learned: np.ndarray
    held_out: np.ndarray


def draw_shots(table: Table, count: int, seed: int) -> Draw:
    """`count` real images of each class.

    Draws of one seed are nested: the images of 1 shot are among those of 5 shots. What comes first
    is half of what the generator has not seen; what follows is any image, so that larger draws
    differ as well. Raises InputError when a class has too few.
    """
    orders = [_order(table, label, seed) for label in range(len(table.classes))]
    for name, order in zip(table.classes, orders, strict=True):
        if len(order) < count:
            raise InputError(
                f"{count} shots need {count} real images of each class; {name!r} has {len(order)} "
                "outside of the test split. Ask for fewer shots or add images."
            )
    shots = np.concatenate([order[:count] for order in orders])
    return Draw(seed, count, shots, tuple(order[count:] for order in orders))


def _order(table: Table, label: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng([seed, label]).permutation(table.of_class(table.real, label))
    unseen = np.flatnonzero(~table.seen[rows])
    first = unseen[: len(unseen) // 2]
    return np.concatenate([rows[first], np.delete(rows, first)])


def folds(table: Table, draw: Draw) -> list[Fold]:
    """Cross-validation inside the shots: up to five folds with all classes in each part.

    None for one shot, where a class held out would be a class never learned.
    """
    if draw.count < 2:
        return []
    splitter = StratifiedKFold(min(MOST_FOLDS, draw.count), shuffle=True, random_state=draw.seed)
    parts = splitter.split(draw.shots, table.labels[draw.shots])
    return [Fold(draw.shots[learned], draw.shots[held]) for learned, held in parts]
