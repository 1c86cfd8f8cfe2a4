"""Fixed parts of a list: some that are reserved, and some that are evenly chosen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from .pets import Entry

RESERVED_PER_CLASS = 10
Item = TypeVar("Item")


@dataclass(frozen=True)
class Split:
    """`reserved`: kept for few-shot experiments, never trained on. `pool`: all the others."""

    reserved: tuple[Entry, ...]
    pool: tuple[Entry, ...]


def pool_split(entries: Iterable[Entry], reserved: int = RESERVED_PER_CLASS) -> Split:
    """In each class the first `reserved` names by sha256 of the name are reserved.

    The order of `entries` does not matter. Both parts are sorted by label, then by digest.
    """
    classes: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        classes[entry.label].append(entry)
    ordered = [sorted(classes[label], key=_digest) for label in sorted(classes)]
    return Split(
        tuple(entry for group in ordered for entry in group[:reserved]),
        tuple(entry for group in ordered for entry in group[reserved:]),
    )


def _digest(entry: Entry) -> str:
    return sha256(entry.name.encode()).hexdigest()


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """`count` of the items, or all, evenly chosen in their order."""
    count = min(count, len(items))
    return [items[len(items) * i // count] for i in range(count)]
