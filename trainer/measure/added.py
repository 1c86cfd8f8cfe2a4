"""Which images an arm adds to a draw, and under which labels."""

from dataclasses import dataclass

import numpy as np

from ...core.counted import pluralize
from ...core.errors import InputError
from .arms import Added, Arm
from .draws import Draw
from .example_table import Table
from .noise_filter import Agreement, select_trusted


@dataclass(frozen=True)
class Labelled:
    """Rows of the table with the labels they are learned under; usually, but not always, theirs."""

    rows: np.ndarray
    labels: np.ndarray

    def take(self, places: np.ndarray) -> "Labelled":
        """The images at `places`, in that order."""
        return Labelled(self.rows[places], self.labels[places])


NOTHING = Labelled(np.empty(0, np.int64), np.empty(0, np.int64))


def select_added(
    table: Table, draw: Draw, arm: Arm, agreement: Agreement | None = None
) -> Labelled:
    """The images that a settled arm adds to a draw. Raises InputError when there are too few.

    They are nested as draws are: what 100 % adds is among what 200 % adds. Synthetic images that
    come from real ones are added to draws that hold all of these, and to no others. `reading`: what
    the draw's shots make of them, by which an arm that drops the worst chooses.
    """
    if arm.add == "nothing":
        return NOTHING
    if arm.ratio == "auto":
        raise ValueError("Choose the ratio first.")
    classes = len(table.classes)
    ratio = 100 * arm.each / draw.count if arm.each else arm.ratio
    counts = class_counts(draw, classes, ratio)
    groups = [
        _group(table, draw, arm, label, count, agreement) for label, count in enumerate(counts)
    ]
    rows = np.concatenate(groups)
    labels = np.repeat(np.arange(classes), counts)
    if arm.add == "shuffled" and table.mismatched is None:
        labels = np.random.default_rng([draw.seed, 3]).permutation(labels)
    return Labelled(rows, labels)


def class_counts(draw: Draw, classes: int, ratio: float) -> list[int]:
    """How many images each class gets; together `ratio` percent of the shots, rounded.

    What does not divide evenly goes to classes chosen by the draw's seed.
    """
    each, rest = divmod(max(1, round(draw.count * classes * ratio / 100)), classes)
    lucky = np.random.default_rng([draw.seed, 2]).permutation(classes)[:rest]
    return [each + (label in lucky) for label in range(classes)]


def _group(
    table: Table, draw: Draw, arm: Arm, label: int, count: int, agreement: Agreement | None
) -> np.ndarray:
    if arm.add == "same":
        return np.resize(table.of_class(draw.shots, label), count)
    rows = draw.spare[label] if arm.add == "real" else usable(table, draw, label, arm.add, arm.of)
    if len(rows) < count:
        raise InputError(_too_few(table, draw, arm, label, count, len(rows)))
    if arm.trust == "drop" and agreement is not None:
        return select_trusted(rows, agreement.of(rows), count)
    return rows[:count]


def usable(
    table: Table, draw: Draw, label: int, add: Added = "synthetic", of: str | None = None
) -> np.ndarray:
    """The synthetic images of a class that may be added to a draw, in the draw's random order.

    One that comes from a real image outside of the draw would tell of that image. "shuffled"
    has rows of its own where pairs are learned, and elsewhere the same ones. `of`: of that set of
    them alone.
    """
    rng = np.random.default_rng([draw.seed, label, 4])
    every = table.mismatched if add == "shuffled" else None
    rows = rng.permutation(table.of_class(table.synthetic if every is None else every, label))
    if of is not None and table.sets is not None:
        rows = rows[table.sets[rows] == of]
    return rows[table.comes_only_from(rows, draw.shots)]


def without_sources(table: Table, added: Labelled, held_out: np.ndarray) -> Labelled:
    """`added` less the images that come from rows held out."""
    return added.take(np.flatnonzero(~table.comes_from(added.rows, held_out)))


def _too_few(table: Table, draw: Draw, arm: Arm, label: int, count: int, count_usable: int) -> str:
    kind, elsewhere = "further real" if arm.add == "real" else "synthetic", ""
    synthetic = table.of_class(table.synthetic, label)
    of_set = arm.of is None or table.sets is None or table.sets[synthetic] == arm.of
    available = int(np.broadcast_to(of_set, synthetic.shape).sum())
    if arm.add in ("synthetic", "shuffled") and available > count_usable:
        elsewhere = (
            f" ({available - count_usable} more come from real images that draw {draw.seed} does "
            "not hold)"
        )
    return (
        f"The arm {arm.name!r} needs {pluralize(count, f'{kind} image')} of "
        f"{table.classes[label]!r} for "
        f"{pluralize(draw.count, 'shot')}, and there are {count_usable}{elsewhere}. Use a smaller "
        "ratio, or add images."
    )
