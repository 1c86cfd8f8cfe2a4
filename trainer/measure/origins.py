"""Which picture a synthetic image was made from, where its record says so."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..images import content_digest
from .sources import Dataset, Example


def origins(data: Dataset, synthetic: Sequence[Example]) -> np.ndarray | None:
    """For each synthetic image the place of its source among `data.real` and then `data.test`.

    -1 where there is none or it is not among them; None when no image has a source. The file that
    a record names is looked up by its content; one that is gone, or a map or mask of a photo, by
    its name without suffix in the same class.
    """
    if not any(example.source for example in synthetic):
        return None
    photos = (*data.real, *data.test)
    by_digest = {content_digest(photo.path): place for place, photo in enumerate(photos)}
    by_name = _unambiguous([(photo.class_name, photo.path.stem) for photo in photos])

    def place(example: Example) -> int:
        if example.source is None:
            return -1
        path = Path(example.source)
        named = by_name.get((example.class_name, path.stem), -1)
        return by_digest.get(content_digest(path), named) if path.is_file() else named

    return np.array([place(example) for example in synthetic])


def _unambiguous(names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    often = Counter(names)
    return {name: place for place, name in enumerate(names) if often[name] == 1}
