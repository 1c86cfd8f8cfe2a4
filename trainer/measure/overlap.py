"""Whether synthetic images repeat the test split: then a gain would be a leak.

Clear copies are told one by one, and whose they are. What is only near, as a small model's memory
of a photo may be, is told by how many there are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from ...core.counted import in_percent
from ...core.errors import InputError
from ...core.files import write_text_atomic
from ...core.json_text import read_json
from ..copies.copy_cache import load_or_find_copies
from ..copies.copy_search import Copy, find_copies
from ..copies.signatures import Progress
from ..images import content_digest, read_rgb
from ..near_copies import search_copies
from .sources import Example

SHORT_SIDE = 64  # four times a thumbnail's side: enough to tell, and little memory
IDENTICAL = 0.01  # distance of thumbnails; the same picture in another format stays below it
CHANCE = 0.01
SHOWN = 5  # pairs in a sentence
METHOD = 1  # one more whenever the same pictures would be judged otherwise


@dataclass(frozen=True)
class Overlap:
    """`identical`, `copies` and `near`: names (synthetic, test) of pairs, worst first.

    `copied`: the place of the real image that a synthetic one is a clear copy of, by its own place.

    `usual`: the share of the real images that are as near to a test image. `beyond_chance`: the
    synthetic ones are so more often than those (binomial test, 1 %).
    """

    identical: tuple[tuple[str, str], ...]
    near: tuple[tuple[str, str], ...]
    searched: int
    usual: float
    beyond_chance: bool
    copies: tuple[tuple[str, str], ...] = ()
    copied: Mapping[int, int] = field(default_factory=dict)

    @property
    def leaks(self) -> bool:
        """Whether it must not be measured without being asked twice."""
        return bool(self.identical or self.copies) or self.beyond_chance


def load_or_find_overlap(
    synthetic: Sequence[Example],
    test: Sequence[Example],
    real: Sequence[Example],
    cache: Path,
    progress: Progress = lambda done, of: None,
) -> Overlap:
    """`find_overlap`, once for the same pictures: `cache` keeps what was found.

    Pictures are told by their contents; what the files are called does not matter.
    """
    groups = (synthetic, test, real)
    digests = [[content_digest(example.path) for example in examples] for examples in groups]
    key = sha256(json.dumps([METHOD, *digests]).encode()).hexdigest()[:32]
    path = cache / "overlap" / f"{key}.json"
    search = _read_kept(path)
    if search is None:
        search = _search(synthetic, test, real)
        write_text_atomic(path, json.dumps(asdict(search)))
    images, photos = (
        [example.path for example in examples] for examples in (synthetic, (*test, *real))
    )
    copies = load_or_find_copies(images, photos, cache, progress)
    return _with_copies(_judge_search(search, synthetic, test, real), copies, synthetic, test)


def _read_kept(path: Path) -> "_Found | None":
    """What the file says; None when it is not there or not whole."""
    try:
        return _Found(**read_json(path))
    except (OSError, ValueError, TypeError):
        return None


def find_overlap(
    synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> Overlap:
    """Search the synthetic images for copies of real and test images, and for near-copies of test
    images by thumbnails.

    Some photos are near to each other by chance, and in some data sets nearly all of them; the
    `real` images, which are not copies, say how many of them to expect.
    """
    images, photos = (
        [example.path for example in examples] for examples in (synthetic, (*test, *real))
    )
    overlap = _judge_search(_search(synthetic, test, real), synthetic, test, real)
    return _with_copies(overlap, find_copies(images, photos), synthetic, test)


def _with_copies(
    overlap: Overlap, copies: Sequence[Copy], synthetic: Sequence[Example], test: Sequence[Example]
) -> Overlap:
    """`overlap` with the best copy of each image; one of a test image counts before all others."""
    tested = {copy.image: copy.reference for copy in reversed(copies) if copy.reference < len(test)}
    copied = {
        copy.image: copy.reference - len(test)
        for copy in reversed(copies)
        if copy.reference >= len(test)
    }
    pairs = tuple((synthetic[i].name, test[place].name) for i, place in sorted(tested.items()))
    return replace(overlap, copies=pairs, copied=copied)


@dataclass(frozen=True)
class _Found:
    """`near`: places among the synthetic and among the test images, and the distance, nearest
    first. `usual`: as in Overlap."""

    near: list[tuple[int, int, float]]
    usual: float


def _search(
    synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> _Found:
    copies, nearest = search_copies(_read(synthetic), _read(test), _read(real))
    order = [int(place) for place in np.argsort(nearest.distance, kind="stable")]
    near = [place for place in order if nearest.distance[place] <= copies.threshold]
    rows = [(place, int(nearest.index[place]), float(nearest.distance[place])) for place in near]
    return _Found(rows, copies.real_share)


def _judge_search(
    search: _Found, synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> Overlap:
    near = tuple((synthetic[place].name, test[index].name) for place, index, _ in search.near)
    identical = sum(distance <= IDENTICAL for *_, distance in search.near)
    expected = (search.usual * len(real) + 1) / (len(real) + 1)
    test_of_chance = binomtest(len(near), len(synthetic), expected, alternative="greater")
    beyond = bool(near) and float(test_of_chance.pvalue) < CHANCE
    return Overlap(near[:identical], near, len(synthetic), search.usual, beyond)


def refuse_overlap(overlap: Overlap, folder: Path | str) -> None:
    """Raises InputError when synthetic images repeat the test split."""
    if overlap.leaks:
        raise InputError(
            f"{overlap_sentence(overlap, folder)} A gain on it would be leakage: remove them, "
            "or write 'allow_overlap: true' to measure anyway."
        )


def overlap_sentence(overlap: Overlap, folder: Path | str) -> str:
    """What was found, in one sentence."""
    if overlap.copies and not overlap.identical:
        return (
            f"{len(overlap.copies):,} of the {overlap.searched:,} images of {folder} are copies of "
            f"test images: {name_pairs(overlap.copies)}."
        )
    if not overlap.near:
        return (
            f"None of the {overlap.searched:,} images of {folder} was found to be a copy or "
            "near-copy of a test image."
        )
    if overlap.identical:
        example = "{}, the same as the test image {}".format(*overlap.identical[0])
    else:
        example = "{} of the test image {}".format(*overlap.near[0])
    return (
        f"{len(overlap.near):,} of the {overlap.searched:,} images of {folder} are near-copies "
        f"of test images ({in_percent(overlap.usual, 1)} of real ones are as close), such as "
        f"{example}."
    )


def name_pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """The first five pairs of a copy and its original, and how many more there are."""
    shown = [f"{copy} of {original}" for copy, original in pairs[:SHOWN]]
    more = [f"{len(pairs) - SHOWN:,} more"] if len(pairs) > SHOWN else []
    return ", ".join([*shown, *more])


def _read(examples: Sequence[Example]) -> list[np.ndarray]:
    return [read_rgb(example.path, SHORT_SIDE) for example in examples]
