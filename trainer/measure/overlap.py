"""Whether synthetic images repeat the test split: then a gain would be a leak."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from ...core.errors import InputError
from ...core.files import write_text_whole
from ..images import content_digest, read_rgb
from ..near_copies import search_copies
from .sources import Example

SHORT_SIDE = 64  # four times a thumbnail's side: enough to tell, and little memory
IDENTICAL = 0.01  # distance of thumbnails; the same picture in another format stays below it
CHANCE = 0.01
METHOD = 1  # one more whenever the same pictures would be judged otherwise


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


def kept_overlap(
    synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example], cache: Path
) -> Overlap:
    """`find_overlap`, once for the same pictures: `cache`/overlap keeps what was found.

    Pictures are told by their contents; what the files are called does not matter.
    """
    parts = (synthetic, test, real)
    digests = [[content_digest(example.path) for example in part] for part in parts]
    key = sha256(json.dumps([METHOD, *digests]).encode()).hexdigest()[:32]
    path = cache / "overlap" / f"{key}.json"
    found = _kept(path)
    if found is None:
        found = _search(synthetic, test, real)
        write_text_whole(path, json.dumps(asdict(found)))
    return _judged(found, synthetic, test, real)


def _kept(path: Path) -> "_Found | None":
    """What the file says; None when it is not there or not whole."""
    try:
        return _Found(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def find_overlap(
    synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> Overlap:
    """Search the synthetic images for near-copies of test images, by thumbnails.

    Some photos are near to each other by chance, and in some data sets nearly all of them; the
    `real` images, which are not copies, say how many of them to expect.
    """
    return _judged(_search(synthetic, test, real), synthetic, test, real)


@dataclass(frozen=True)
class _Found:
    """`near`: places among the synthetic and among the test images, and the distance, nearest
    first. `usual`: as in Overlap."""

    near: list[tuple[int, int, float]]
    usual: float


def _search(
    synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> _Found:
    copies, found = search_copies(_read(synthetic), _read(test), _read(real))
    order = [int(place) for place in np.argsort(found.distance, kind="stable")]
    near = [place for place in order if found.distance[place] <= copies.threshold]
    rows = [(place, int(found.index[place]), float(found.distance[place])) for place in near]
    return _Found(rows, copies.real_share)


def _judged(
    found: _Found, synthetic: Sequence[Example], test: Sequence[Example], real: Sequence[Example]
) -> Overlap:
    near = tuple((synthetic[place].name, test[index].name) for place, index, _ in found.near)
    identical = sum(distance <= IDENTICAL for *_, distance in found.near)
    expected = (found.usual * len(real) + 1) / (len(real) + 1)
    test_of_chance = binomtest(len(near), len(synthetic), expected, alternative="greater")
    beyond = bool(near) and float(test_of_chance.pvalue) < CHANCE
    return Overlap(near[:identical], near, len(synthetic), found.usual, beyond)


def refuse_overlap(found: Overlap, folder: Path | str) -> None:
    """Raises InputError when synthetic images repeat the test split."""
    if found.leaks:
        raise InputError(
            f"{overlap_sentence(found, folder)} A gain on it would be a leak: take them out, or "
            "write 'allow_overlap: true' to measure all the same."
        )


def overlap_sentence(found: Overlap, folder: Path | str) -> str:
    """What was found, in one sentence."""
    if not found.near:
        return f"None of the {found.searched:,} images of {folder} is near to a test image."
    if found.identical:
        example = "{}, the same as the test image {}".format(*found.identical[0])
    else:
        example = "{} of the test image {}".format(*found.near[0])
    return (
        f"{len(found.near):,} of the {found.searched:,} images of {folder} are near-copies of test "
        f"images ({found.usual:.1%} of real ones are as near), such as {example}."
    )


def _read(examples: Sequence[Example]) -> list[np.ndarray]:
    return [read_rgb(example.path, SHORT_SIDE) for example in examples]
