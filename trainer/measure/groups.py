"""Splits that keep copies of one photo on one side."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...core.cache import cache_folder

if TYPE_CHECKING:  # types alone
    from ..copies.copy_search import Copy

FindCopies = Callable[[Sequence[Path]], "list[Copy]"]


def find_kept_copies(paths: Sequence[Path]) -> "list[Copy]":
    """The images that are copies of others among them; the user's cache keeps what was found."""
    from ..copies.copy_cache import load_or_find_doubles

    return load_or_find_doubles(paths, cache_folder())


def group_images(count: int, copies: "Iterable[Copy]", names: Sequence[str] = ()) -> np.ndarray:
    """The group (count) of each image: copies, copies of these, and images of one name in `names`
    (a patient, a video; "" is none) are of one group."""
    first = {name: place for place, name in reversed([*enumerate(names)]) if name}
    pairs = [(copy.image, copy.reference) for copy in copies]
    pairs += [(place, first[name]) for place, name in enumerate(names) if name]
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def pick_tested(
    order: Sequence[int], groups: np.ndarray, count: int, sides: dict[int, bool]
) -> list[int]:
    """Places from `order` for the test split: whole groups until there are `count` places.

    `groups`: of each place. `sides`: of groups that other classes have decided on, whether they are
    tested; those decided here are added. A group that would leave nothing to learn from is not
    tested, if another is.
    """
    chosen = [place for place in order if sides.get(int(groups[place]))]
    for place in order:
        group = int(groups[place])
        if group in sides:
            continue
        members = [other for other in order if groups[other] == group]
        leaves_some = len(chosen) + len(members) < len(order)
        sides[group] = len(chosen) < count and (leaves_some or not chosen)
        if sides[group]:
            chosen += members
    return chosen
