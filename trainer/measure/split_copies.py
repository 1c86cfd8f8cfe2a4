"""Copies inside the real data: the same photo to learn from and to be tested on."""

from pathlib import Path

from ...core.errors import InputError
from ..copies.copy_cache import load_or_find_copies
from ..copies.signatures import Progress
from .measure_recipe import Data
from .overlap import name_pairs
from .sources import Dataset


def check_doubles(
    data: Data,
    dataset: Dataset,
    allow: bool,
    cache: Path,
    progress: Progress = lambda done, of: None,
) -> list[str]:
    """Notes on copies in the user's own data; published data sets are taken as they are.

    Raises InputError when test images are copies of the real ones that draws learn from, unless
    `allow`. A split by seed keeps copies together and has none of these; the note names them.
    """
    notes: list[str] = []
    if dataset.doubles:
        notes.append(
            f"Some images of {data.path} are copies of each other and stay on one side of "
            f"the split: {name_pairs(dataset.doubles)}."
        )
    if data.kind != "folder" or dataset.by_seed:
        return notes
    tested, learned = (
        [example.path for example in examples] for examples in (dataset.test, dataset.real)
    )
    copies = load_or_find_copies(tested, learned, cache, progress)
    best = {copy.image: copy.reference for copy in reversed(copies)}
    if not best:
        return notes
    pairs = [(dataset.test[i].name, dataset.real[place].name) for i, place in sorted(best.items())]
    text = (
        f"{len(pairs):,} of the {len(dataset.test):,} test images are copies of real images "
        f"that draws train on: {name_pairs(pairs)}."
    )
    if not allow:
        raise InputError(
            f"{text} Memorised photos would count as recognised: remove them from one of the "
            "two, or write 'allow_overlap: true' to measure anyway."
        )
    return [*notes, text]
