"""Which photos a synthetic image comes from, where its record says so."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ..images import content_digest, pixel_digest, read_rgb
from .sources import Dataset, Example

WHOLE = 1 << 16  # pixels of a shorter side that no photo has


def origins(data: Dataset, synthetic: Sequence[Example]) -> np.ndarray | None:
    """For each synthetic image the places of its photos among `data.real` and then `data.test`.

    Its photos are the one that it was made from, and all that its subject was learned from. -1
    fills a row, and stands for what is not among them; None when no image has any. The file that a
    record names is looked up by its content; one that is gone, or a map or mask of a photo, by its
    name without suffix in the same class. A subject's photos are known by the digest of their file
    or, where it was trained on ComfyUI's canvas, of their pixels.
    """
    if not any(example.source or example.photos for example in synthetic):
        return None
    photos = (*data.real, *data.test)
    by_digest = {content_digest(photo.path): place for place, photo in enumerate(photos)}
    by_name = _unambiguous([(photo.class_name, photo.path.stem) for photo in photos])

    def source(example: Example) -> list[int]:
        if example.source is None:
            return []
        path = Path(example.source)
        named = by_name.get((example.class_name, path.stem), -1)
        return [by_digest.get(content_digest(path), named) if path.is_file() else named]

    @cache  # asked for only when a digest is that of no file
    def by_pixels() -> dict[str, int]:
        return {pixel_digest(read_rgb(photo.path, WHOLE)): i for i, photo in enumerate(photos)}

    @cache  # images of a subject share them
    def learned(digests: tuple[str, ...]) -> list[int]:
        found = [
            by_digest[one] if one in by_digest else by_pixels().get(one, -1) for one in digests
        ]
        return [place for place in found if place >= 0]

    return _padded([[*source(example), *learned(example.photos)] for example in synthetic])


def _padded(places: Sequence[Sequence[int]]) -> np.ndarray:
    most = max(1, *map(len, places))
    return np.array([[*row, *[-1] * (most - len(row))] for row in places])


def _unambiguous(names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    often = Counter(names)
    return {name: place for place, name in enumerate(names) if often[name] == 1}
