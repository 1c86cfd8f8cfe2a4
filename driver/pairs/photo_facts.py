"""What is known of each labelled photo before anything is drawn: all of them are read and checked
once, so that what is wrong is said before anything is queued."""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ...core.data.labelled_image import fitting_mask
from ...core.data.record import LabelledImage
from ...core.errors import InputError, read_each
from ...core.images import image_size
from ...core.masks.geometry import Size
from ...core.masks.label_mask import BACKGROUND, EmptyMask, LabelMask

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
"""Told how many photos are read, and of how many."""


@dataclass(frozen=True)
class PairFacts:
    """Of one photo: `digest`, which follows from its bytes and its labels, its `size` (height,
    width), the mask's `classes`, and those of them that it shows, background aside."""

    digest: str
    size: Size
    classes: tuple[str, ...]
    shown: tuple[str, ...]


def read_facts(pair: LabelledImage, masked: bool) -> PairFacts:
    """The facts of a photo, with its mask (`masked`) or without.

    Raises InputError, naming the file: unreadable, no mask, mask and image of different sizes,
    unknown values or colours, nothing but background.
    """
    if masked and pair.mask is None:
        raise InputError(
            f"The image {pair.image} has no mask, and the workflow needs one. Use photos "
            "with masks, or a workflow that takes only $image."
        )
    width, height = image_size(pair.image)
    size = height, width
    if not masked:
        return PairFacts(_digest(pair.image, None), size, (BACKGROUND,), ())
    mask = fitting_mask(pair, size)
    return PairFacts(_digest(pair.image, mask), size, mask.classes, mask.visible_classes())


def _digest(image: Path, mask: LabelMask | None) -> str:
    hasher = sha256(image.read_bytes())
    if mask is not None:
        hasher.update(json.dumps([mask.classes, mask.ignored, mask.size]).encode())
        hasher.update(mask.labels.tobytes())
    return hasher.hexdigest()


def all_facts(
    pairs: Iterable[LabelledImage], masked: bool, progress: Progress, skip_empty: bool = False
) -> dict[str, PairFacts]:
    """The facts of each photo by its name, those of empty masks left out if asked for.

    Raises InputError as `read_facts` does, for all photos at once.
    """
    listed = list(pairs)
    facts: dict[str, PairFacts] = {}

    def read(numbered: tuple[int, LabelledImage]) -> None:
        done, pair = numbered
        progress(done, len(listed))
        try:
            facts[pair.name] = read_facts(pair, masked)
        except EmptyMask:
            if not skip_empty:
                raise
            log.warning("%s is left out: its mask shows no object", pair.image)

    read_each(read, enumerate(listed, 1))
    return facts
