"""Which photos a synthetic image comes from, where its record says so."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from ..images import content_digest, pixel_digest, read_rgb
from .sources import Dataset, Example

WHOLE = 1 << 16  # pixels of a shorter side that no photo has


def origins(
    data: Dataset, synthetic: Sequence[Example], copied: Mapping[int, int] | None = None
) -> np.ndarray | None:
    """For each synthetic image the places of its photos among `data.real` and then `data.test`.

    Its photos are those that it was made from, and all that its subject was learned from. -1
    fills a row, and stands for what is not among them; None when no image has any. The file that a
    record names is looked up by its content; one that is gone, or a map or mask of a photo, by its
    name without suffix in the same class, and of several in all classes. A subject's photos are
    known by the digest of their file or, where it was trained on ComfyUI's canvas, of their pixels.
    `copied`: of synthetic images that are seen to be copies, the place of the real one; it is among
    their photos whatever their record says.
    """
    copied = copied or {}
    if not copied and not any(example.sources or example.photos for example in synthetic):
        return None
    photos = (*data.real, *data.test)
    by_digest = {content_digest(photo.path): place for place, photo in enumerate(photos)}
    named = _find_by_name(photos)

    def find(path: Path, example: Example) -> int:
        place = by_digest.get(content_digest(path)) if path.is_file() else None
        return named(path.stem, example) if place is None else place

    @cache  # asked for only when a digest is that of no file
    def by_pixels() -> dict[str, int]:
        return {pixel_digest(read_rgb(photo.path, WHOLE)): i for i, photo in enumerate(photos)}

    @cache  # images of a subject share them
    def find_learned(digests: tuple[str, ...]) -> list[int]:
        places = [
            by_digest[digest] if digest in by_digest else by_pixels().get(digest, -1)
            for digest in digests
        ]
        return [place for place in places if place >= 0]

    def every(example: Example) -> list[int]:
        made_from = [find(Path(source), example) for source in example.sources]
        return [*made_from, *find_learned(example.photos)]

    rows = [
        [*every(example), *([copied[place]] if place in copied else [])]
        for place, example in enumerate(synthetic)
    ]
    return _pad([list(dict.fromkeys(row)) for row in rows])


def _find_by_name(photos: Sequence[Example]) -> Callable[[str, Example], int]:
    """The place of the photo that a name without suffix means for a synthetic image, or -1.

    Draws may take all classes alike: then its own class counts first, in which names are told
    apart. A scene of several photos holds other classes as well.
    """
    by_own_class = _unambiguous([(photo.own_class, photo.path.stem) for photo in photos])
    by_class = _unambiguous([(photo.class_name, photo.path.stem) for photo in photos])
    alone = _unambiguous([("", photo.path.stem) for photo in photos])

    def find(stem: str, example: Example) -> int:
        place = by_own_class.get(
            (example.own_class, stem), by_class.get((example.class_name, stem), -1)
        )
        return alone.get(("", stem), -1) if place < 0 and len(example.sources) > 1 else place

    return find


def _pad(places: Sequence[Sequence[int]]) -> np.ndarray:
    most = max(1, *map(len, places))
    return np.array([[*row, *[-1] * (most - len(row))] for row in places])


def _unambiguous(names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    often = Counter(names)
    return {name: place for place, name in enumerate(names) if often[name] == 1}
