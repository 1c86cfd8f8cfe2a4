"""Few-shot draws: which real images an experiment may learn from, decided by a seed alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ...core.counted import pluralize
from ...core.errors import InputError
from .example_table import Table

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
                f"{pluralize(count, 'shot needs', 'shots need')} {pluralize(count, 'real image')} "
                f"of each class; {name!r} has {len(order)} "
                "outside of the test split. Ask for fewer shots or add images."
            )
    shots = np.concatenate([order[:count] for order in orders])
    return Draw(seed, count, shots, tuple(order[count:] for order in orders))


def distinct_draws(table: Table, count: int, number: int) -> list[Draw]:
    """The draws 0, 1, 2, … below `number` that hold other photos than those before them.

    There is one where each class has `count` photos. Raises InputError when a class has too few.
    """
    draws: dict[frozenset[int], Draw] = {}
    for seed in range(number):
        draw = draw_shots(table, count, seed)
        draws.setdefault(frozenset(draw.shots.tolist()), draw)
    return list(draws.values())


def all_draws(table: Table, shots: Sequence[int], number: int) -> Iterator[Draw]:
    """The distinct draws of every number of `shots`."""
    for count in shots:
        yield from distinct_draws(table, count, number)


def pools(table: Table) -> list[int]:
    """How many real photos each class has."""
    return np.bincount(table.labels[table.real], minlength=len(table.classes)).tolist()


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
    splits = splitter.split(draw.shots, table.labels[draw.shots])
    return [Fold(draw.shots[training], draw.shots[held_out]) for training, held_out in splits]
