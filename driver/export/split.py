"""Which images go into validation: a share of each class, the same ones for the same seed."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ...core.errors import InputError
from ...core.metadata_lines import OWN_NAME
from ...core.records import Record

TRAIN, VAL = "train", "val"


def validation_names(records: Sequence[Record], share: float, seed: int) -> frozenset[str]:
    """The file names of `share` (0 to 1, rounded to whole images, one at least) of each class.

    Images with the same source image stay together: a validation that shows a training photo's
    outline once more would flatter; so do scenes composed of several that share one, images of one
    job that several save nodes brought, and those that a sweep drew of one seed. A class can thus
    have another share, or none: `classes_without_validation` names those. Of no class all images go
    into validation. Raises InputError for another share, and when nothing can go into validation.
    """
    if not 0 <= share < 1:
        raise InputError(f"The validation share must be between 0 and 1; it is {share}.")
    if not share:
        return frozenset()
    groups = _group_related(records)
    counts = _counts(records)
    room = {name: min(max(1, round(share * n)), n - 1) for name, n in counts.items()}
    chosen: list[str] = []
    for key in sorted(groups, key=lambda key: _draw(key, seed)):
        here = _counts(groups[key])
        if all(count <= room[name] for name, count in here.items()):
            room = {name: free - here.get(name, 0) for name, free in room.items()}
            chosen += [record.file_name for record in groups[key]]
    chosen += _one_of_each(groups, counts, frozenset(chosen), seed)
    if not chosen:
        raise InputError(
            f"A share of {share} leaves no images for validation: the classes are too small, "
            "or all their images come from one source image, or from scenes that share "
            "some. Choose another share, or none."
        )
    return frozenset(chosen)


def _one_of_each(
    groups: dict[str, list[Record]], counts: dict[str, int], chosen: frozenset[str], seed: int
) -> list[str]:
    """The smallest group of each class that has no image among `chosen`, where it leaves all of
    its classes an image for training."""
    more: list[str] = []
    remaining = {name: counts[name] for name in counts}
    for group in groups.values():
        for record in group:
            remaining[record.class_name] -= record.file_name in chosen
    for name in sorted(name for name, count in counts.items() if remaining[name] == count):
        fitting = [
            (len(group), _draw(key, seed), group)
            for key, group in groups.items()
            if name in (here := _counts(group)) and all(here[n] < remaining[n] for n in here)
        ]
        if remaining[name] == counts[name] and fitting:
            group = min(fitting, key=lambda entry: entry[:2])[2]
            remaining = {n: remaining[n] - _counts(group).get(n, 0) for n in remaining}
            more += [record.file_name for record in group]
    return more


def classes_without_validation(records: Sequence[Record], chosen: frozenset[str]) -> list[str]:
    """The classes of which validation has no image although there is one."""
    there = {record.class_name for record in records if record.file_name in chosen}
    return sorted({record.class_name for record in records} - there) if chosen else []


def _group_related(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records that share a source, a job or a sweep's seed, directly or through others; by the
    least of these, or by their file's name where they have none."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for record in records:
        first, *rest = [root(name) for name in _origins(record)]
        for other in rest:
            first, last = sorted((root(first), root(other)))
            parents[last] = first
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[root(_origins(record)[0])].append(record)
    return groups


def _origins(record: Record) -> tuple[str, ...]:
    """What an image was made from: photos, its job where that drew it for several nodes, and in a
    sweep its class and seed, which the other combinations drew, too."""
    match = OWN_NAME.fullmatch(record.file_name) if record.node else None
    job = [f"job {match[2]}"] if match else []
    twin = [f"seed {record.class_name} {record.seed}"] if _has_twins(record) else []
    return (*record.sources, *job, *twin) or (record.file_name,)


def _has_twins(record: Record) -> bool:
    return bool(record.sweep) and record.seed is not None


def _counts(records: Iterable[Record]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for record in records:
        counts[record.class_name] += 1
    return counts


def _draw(key: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {key}".encode()).digest()
