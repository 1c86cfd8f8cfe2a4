"""Whether synthetic images repeat the test split: then a gain would be a leak."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from ...core.errors import InputError
from ..near_copies import search_copies
from .images import read_rgb
from .sources import Example

SHORT_SIDE = 64  # four times a thumbnail's side: enough to tell, and little memory
IDENTICAL = 0.01  # distance of thumbnails; the same picture in another format stays below it
CHANCE = 0.01


@dataclass(frozen=True)
class Overlap:
    """`identical` and `near`: names (synthetic, test) of pairs, worst first.

    `usual`: the share of the real images that are as near to a test image. `beyond_chance`: the
    synthetic ones are so more often than those (binomial test, 1 %).
    """

    identical: tuple[tuple[str, str], ...]
    near: tuple[tuple[str, str], ...]
    searched: int
    usual: float
    beyond_chance: bool

    @property
    def leaks(self) -> bool:
        """Whether it must not be measured without being asked twice."""
        return bool(self.identical) or self.beyond_chance


def find_overlap(
    synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> Overlap:
    """Search the synthetic images for near-copies of test images, by thumbnails.

    Some photos are near to each other by chance, and in some data sets nearly all of them; the
    `real` images, which are not copies, say how many of them to expect.
    """
    copies, found = search_copies(_read(synthetic), _read(test), _read(real))
    order = [int(place) for place in np.argsort(found.distance, kind="stable")]
    near = [place for place in order if found.distance[place] <= copies.threshold]
    identical = [place for place in near if found.distance[place] <= IDENTICAL]
    expected = (copies.real_share * len(real) + 1) / (len(real) + 1)
    test_of_chance = binomtest(len(near), len(synthetic), expected, alternative="greater")
    beyond = bool(near) and float(test_of_chance.pvalue) < CHANCE

    def pairs(places: list[int]) -> tuple[tuple[str, str], ...]:
        return tuple((synthetic[p].name, test[found.index[p]].name) for p in places)

    return Overlap(pairs(identical), pairs(near), len(synthetic), copies.real_share, beyond)


def refuse_overlap(found: Overlap, folder: Path) -> None:
    """Raises InputError when synthetic images repeat the test split."""
    if found.leaks:
        raise InputError(
            f"{overlap_sentence(found, folder)} A gain on it would be a leak: take them out, or "
            "write 'allow_overlap: true' to measure all the same."
        )


def overlap_sentence(found: Overlap, folder: Path) -> str:
    """What was found, in one sentence."""
    kind, pairs = ("the same", found.identical) if found.identical else ("nearly so", found.near)
    if not found.near:
        return f"None of the {found.searched:,} images of {folder} is near to a test image."
    first = f"{pairs[0][0]} and the test image {pairs[0][1]}"
    return (
        f"{len(found.near):,} of the {found.searched:,} images of {folder} are near-copies of test "
        f"images ({found.usual:.1%} of real ones are as near), such as {first}, which are {kind}."
    )


def _read(examples: Sequence[Example]) -> list[np.ndarray]:
    return [read_rgb(example.path, SHORT_SIDE) for example in examples]
