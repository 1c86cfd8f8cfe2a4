"""Searching images for copies of others: candidates by index, then verified pixel by pixel."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .alignment import TURNS, Affine, agreement, by_keypoints, rotate, stretch
from .signatures import Progress, Signature, mirror_descriptors, read_signatures

CLEAR = 0.9  # agreement of a copy where photos do not look alike
SURE = 0.9985  # where they do, as solar cells; those from one block of silicon agree by 0.99
LOOK_ALIKE = 0.3  # median agreement of photos; of Pets and Food-101 it is 0, of solar cells 0.65
SAMPLED = 50  # pairs of photos that tell it
APART = 0.5  # a copy disagrees at most so much of what other candidates do
WORTH = 0.5  # agreement from which an alignment is refined
CANDIDATES, FIRST = 16, 6  # references looked at for an image; so many decide whether all are
LEAST_OTHERS = 4  # candidates that tell what look-alikes agree
CHUNK = 2000  # references in an index; it takes 50 kB of memory each
TREES, CHECKS, NEIGHBOURS = 4, 16, 4
BATCH = 500  # images that are compared by thumbnails at once


@dataclass(frozen=True, order=True)
class Copy:
    """`image` is a copy of `reference`, places both; `agreement` of their details, 0.9 to 1."""

    image: int
    reference: int
    agreement: float


@dataclass(frozen=True)
class _Candidate:
    """`turn`: of the whole image, laid over the whole reference; None: keypoints say how."""

    score: float
    reference: int
    turn: int | None
    mirrored: bool = False


def find_copies(
    images: Sequence[Path], references: Sequence[Path], progress: Progress = lambda done, of: None
) -> list[Copy]:
    """The copies of `references` among `images`, in their order, the best first for each image.

    Re-encoded, resized, mirrored, turned, cropped to a quarter of the area or more, and moderately
    blurred or changed in brightness and contrast; docs/measure.md tells how surely. Raises
    InputError for a file that cannot be read.
    """
    if not images or not references:
        return []
    total = 2 * len(images) + len(references)
    theirs = read_signatures(references, lambda done, _: progress(done, total))
    ours = read_signatures(images, lambda done, _: progress(len(references) + done, total))
    least = least_agreement(theirs)
    copies: list[Copy] = []
    for place, agreements in enumerate(compare(ours, theirs, None)):
        copies += clear_copies(place, agreements, least)
        progress(len(references) + len(images) + place + 1, total)
    return copies


def find_doubles(images: Sequence[Path], progress: Progress = lambda done, of: None) -> list[Copy]:
    """The images that are copies of others among them; each pair once or twice."""
    if len(images) < 2:
        return []
    ours = read_signatures(images, lambda done, _: progress(done, 2 * len(images)))
    least = least_agreement(ours)
    copies: list[Copy] = []
    for place, agreements in enumerate(compare(ours, ours, range(len(ours)))):
        copies += clear_copies(place, agreements, least)
        progress(len(images) + place + 1, 2 * len(images))
    return copies


def least_agreement(references: Sequence[Signature]) -> float:
    """What a copy agrees at least, by how much the references look alike among themselves.

    Laid over each other as they are, photos of different things do not agree, while solar cells
    share their bars. Pairs lie far apart, so that copies named one after the other do not count.
    """
    half = len(references) // 2
    agreements = [
        agreement(first_image, second_image, stretch(first_image, second_image), least=1.0)
        for first in range(0, half, 1 + half // SAMPLED)
        for first_image, second_image in [(references[first].grey, references[first + half].grey)]
    ]
    return SURE if agreements and float(np.median(agreements)) > LOOK_ALIKE else CLEAR


def clear_copies(place: int, agreements: dict[int, float], least: float) -> list[Copy]:
    """The copies among what an image was compared with, the best first.

    What agrees may still be a look-alike: a copy disagrees far less than the other candidates do
    (their median), as in the ratio test of Lowe 2004, section 7.1.
    """
    copies = [
        Copy(place, reference, round(value, 4))
        for reference, value in agreements.items()
        if value >= least and 1 - value <= APART * (1 - _typical(agreements, reference))
    ]
    return sorted(copies, key=lambda copy: -copy.agreement)


def _typical(agreements: dict[int, float], apart_from: int) -> float:
    other_values = [value for reference, value in agreements.items() if reference != apart_from]
    return float(np.median(other_values)) if len(other_values) >= LEAST_OTHERS else 0.0


def compare(
    images: Sequence[Signature], references: Sequence[Signature], excluded: Sequence[int] | None
) -> Iterator[dict[int, float]]:
    """The agreement of each image with its candidates; `excluded`: its own place, if any."""
    for image, candidates in zip(images, _candidates(images, references, excluded), strict=True):
        agreements: dict[int, float] = {}
        for number, candidate in enumerate(candidates):
            if number == FIRST and max(agreements.values()) < CLEAR:
                break
            value = _agreement(image, references[candidate.reference], candidate)
            agreements[candidate.reference] = max(value, agreements.get(candidate.reference, 0.0))
        yield agreements


def _candidates(
    images: Sequence[Signature], references: Sequence[Signature], excluded: Sequence[int] | None
) -> Iterator[list[_Candidate]]:
    """Of each image: those with alike keypoints and those with alike thumbnails, by turns."""
    alike = _by_thumbnails(images, references, excluded)
    matched = _by_votes(images, references, excluded)
    for by_keypoint, by_thumbnail in zip(matched, alike, strict=True):
        by_turns = [
            candidate for pair in zip(by_keypoint, by_thumbnail, strict=False) for candidate in pair
        ]
        remaining = [*by_keypoint[len(by_thumbnail) :], *by_thumbnail[len(by_keypoint) :]]
        yield [*by_turns, *remaining]


def _by_votes(
    images: Sequence[Signature], references: Sequence[Signature], excluded: Sequence[int] | None
) -> list[list[_Candidate]]:
    """Of each image the references with most keypoints nearest to its own, or its mirror image's.

    By randomised k-d trees: Muja and Lowe 2009, "Fast Approximate Nearest Neighbors with Automatic
    Algorithm Configuration".
    """
    best: list[list[_Candidate]] = [[] for _ in images]
    for first in range(0, len(references), CHUNK):
        chunk = references[first : first + CHUNK]
        owners = np.repeat(
            np.arange(first, first + len(chunk)),
            [len(signature.descriptors) for signature in chunk],
        )
        if len(owners) < NEIGHBOURS:
            continue
        index = _index(np.concatenate([signature.descriptors for signature in chunk]))
        for place, image in enumerate(images):
            votes = [
                _Candidate(score, reference, None, mirrored)
                for mirrored in (False, True)
                for reference, score in _votes(index, owners, image, mirrored).items()
                if excluded is None or reference != excluded[place]
            ]
            ranked = sorted([*best[place], *votes], key=lambda candidate: -candidate.score)
            best[place] = ranked[:CANDIDATES]
    return best


def _index(descriptors: np.ndarray) -> cv2.FlannBasedMatcher:
    cv2.setRNGSeed(0)
    index = cv2.FlannBasedMatcher({"algorithm": 1, "trees": TREES}, {"checks": CHECKS})
    index.add([descriptors.astype(np.float32)])
    index.train()
    return index


def _votes(
    index: cv2.FlannBasedMatcher, owners: np.ndarray, image: Signature, mirrored: bool
) -> dict[int, float]:
    descriptors = mirror_descriptors(image.descriptors) if mirrored else image.descriptors
    votes: dict[int, float] = defaultdict(float)
    if not len(descriptors):
        return votes
    for matches in index.knnMatch(descriptors.astype(np.float32), k=NEIGHBOURS):
        nearest = {int(owners[match.trainIdx]): match.distance for match in reversed(matches)}
        for reference, distance in nearest.items():
            votes[reference] += max(0.0, 1 - distance / 255)
    return votes


def _by_thumbnails(
    images: Sequence[Signature], references: Sequence[Signature], excluded: Sequence[int] | None
) -> Iterator[list[_Candidate]]:
    theirs = _rows([signature.thumbnail for signature in references])
    most = min(CANDIDATES // 2, len(references))
    for first in range(0, len(images), BATCH):
        batch = images[first : first + BATCH]
        alike = np.stack(
            [
                _rows([rotate(signature.thumbnail, turn) for signature in batch]) @ theirs.T
                for turn in range(TURNS)
            ]
        )
        turns, highest = alike.argmax(axis=0), alike.max(axis=0)
        if excluded is not None:
            highest[np.arange(len(batch)), excluded[first : first + BATCH]] = -1
        order = np.argsort(-highest, axis=1)[:, :most]
        for place, row in enumerate(order.tolist()):
            yield [
                _Candidate(
                    float(highest[place, reference]), reference, int(turns[place, reference])
                )
                for reference in row
                if highest[place, reference] > WORTH
            ]


def _rows(thumbnails: Sequence[np.ndarray]) -> np.ndarray:
    rows = np.stack(thumbnails).reshape(len(thumbnails), -1).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def _agreement(image: Signature, reference: Signature, candidate: _Candidate) -> float:
    if candidate.turn is None:
        affine: Affine | None = by_keypoints(image, reference, candidate.mirrored)
        grey = rotate(image.grey, 4 if candidate.mirrored else 0)
    else:
        grey = rotate(image.grey, candidate.turn)
        affine = stretch(grey, reference.grey)
    return 0.0 if affine is None else agreement(grey, reference.grey, affine, WORTH)
