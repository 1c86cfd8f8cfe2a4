"""What a reader of results must know of the draws: how many differ, and how far."""

from collections.abc import Iterator, Sequence

import numpy as np

from ...core.counted import in_percent, pluralize
from .draws import Draw, distinct_draws, pools
from .example_table import Table
from .grid import Grid
from .sharing import mean_shared

SPEAKS = (
    "Unless stated otherwise, intervals cover other photos than those drawn, other test "
    "images and other trainings."
)
UNTESTED = (
    "Other photos were not tested: intervals cover only other test images and trainings. "
    "Trainings on the same photos are no evidence about other photos."
)
ONE_TRAINING = (
    "Other photos and other trainings were not tested: intervals cover only other test images."
)


def notes_on_draws(table: Table, grid: Grid) -> list[str]:
    """Sentences on the draws of each number of shots."""
    caveats = [SPEAKS]
    for count in grid.shots:
        draws = distinct_draws(table, count, grid.draws)
        notes = [*_on_number(table, grid, draws), *_on_seen(table, draws)]
        caveats.extend(f"{pluralize(count, 'shot')}: {text}" for text in notes)
    return caveats


def _on_number(table: Table, grid: Grid, draws: Sequence[Draw]) -> Iterator[str]:
    count, full = draws[0].count, _exhausted_classes(table, draws[0].count)
    untested = ONE_TRAINING if grid.seeds == 1 else UNTESTED
    if len(full) == len(table.classes):
        yield (
            f"each class has {pluralize(count, 'real image')}, so there is only one draw. "
            f"{untested}"
        )
        return
    if len(draws) == 1:
        yield f"one draw was measured. {untested}"
        return
    if len(draws) < grid.draws:
        yield f"{len(draws):,} of {grid.draws:,} draws differ in their photos; only these count."
    shared = mean_shared([draw.shots for draw in draws])
    if shared:
        yield (
            f"two draws share {in_percent(shared)} of their photos on average; intervals are "
            "widened accordingly."
        )
    if full:
        yield (
            f"{_list_classes(full)} no more than {pluralize(count, 'real image')}, which every "
            "draw uses: other photos of these classes were not tested."
        )


def _exhausted_classes(table: Table, count: int) -> list[str]:
    """The classes whose photos all draws hold."""
    sizes = zip(table.classes, pools(table), strict=True)
    return [name for name, pool in sizes if pool == count]


def _list_classes(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]!r} has"
    return f"{len(names):,} classes, such as {names[0]!r}, have"


def _on_seen(table: Table, draws: Sequence[Draw]) -> Iterator[str]:
    """How much of the draws the generator has learned from."""
    if table.seen.any():
        share = float(np.mean([table.seen[draw.shots].mean() for draw in draws]))
        learned = f"the generator was trained on {in_percent(share)} of the draws' real images."
        fresh = "draws contain only images that the generator was not trained on."
        yield learned if share else fresh
