"""Which images go into validation: a share of each class, the same ones for the same seed."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ...core.errors import InputError
from ...core.records import Record

TRAIN, VAL = "train", "val"


def validation_names(records: Sequence[Record], share: float, seed: int) -> frozenset[str]:
    """The file names of `share` (0 to 1, rounded to whole images) of each class.

    Images with the same source image stay together: a validation that shows a training photo's
    outline once more would flatter; so do scenes composed of several that share one. A class can
    thus have fewer than its share. Raises InputError for another share, and when nothing can go
    into validation, or nothing is left for training.
    """
    if not 0 <= share < 1:
        raise InputError(f"The share of validation lies between 0 and 1; it is {share}.")
    groups = _related(records)
    room = {name: round(share * count) for name, count in _counts(records).items()}
    chosen: list[str] = []
    for key in sorted(groups, key=lambda key: _draw(key, seed)):
        counts = _counts(groups[key])
        if all(count <= room[name] for name, count in counts.items()):
            room = {name: left - counts.get(name, 0) for name, left in room.items()}
            chosen += [record.file_name for record in groups[key]]
    if share and not 0 < len(chosen) < len(records):
        raise InputError(
            f"A share of {share} leaves no image for validation: the classes are too small, or "
            "all their images come from one source image, or from scenes that share some. "
            "Take another share, or none."
        )
    return frozenset(chosen)


def _related(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records that share a source, directly or through others; by the least of their sources,
    or by their file's name where they have none."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for record in records:
        first, *others = [root(name) for name in record.sources or (record.file_name,)]
        for other in others:
            first, last = sorted((root(first), root(other)))
            parents[last] = first
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[root((record.sources or (record.file_name,))[0])].append(record)
    return groups


def _counts(records: Iterable[Record]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for record in records:
        counts[record.class_name] += 1
    return counts


def _draw(key: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {key}".encode()).digest()
