"""What the evaluation needs of real pets: images with what is known of them, and a segmenter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from manyshot.core.begun import DIGEST, digest
from manyshot.core.palettes import BORDER, PET
from manyshot.core.pets import Entry, read_split
from manyshot.core.subsets import evenly, pool_split
from manyshot.core.tiny_sizes import IMAGE_SIZE
from manyshot.trainer.control_agreement import mask_iou
from manyshot.trainer.segmenter import (
    Segmenter,
    foreground,
    load_segmenter,
    save_segmenter,
    train_segmenter,
)
from onnxruntime import InferenceSession

from .photo_data import centre_crop, pixel_hash, read_images, read_trimaps

LEARNED_FROM = 1600  # images of the pool; more of them add nothing
SEGMENTER = "segmenter-{}.safetensors"


@dataclass(frozen=True)
class RealPets:
    """Real images with what is known of them.

    `images` (n, 128, 128, 3) RGB bytes, `features` (n, 1024) of unit length, `labels` (n) from 0.
    """

    entries: Sequence[Entry]
    images: np.ndarray
    features: np.ndarray
    labels: np.ndarray


def pet_segmenter(folder: Path, session: InferenceSession, data: Path) -> Segmenter:
    """The segmenter trained on the pool's trimaps; kept in `folder` under what it learned from."""
    entries = evenly(pool_split(read_split(data)).pool, LEARNED_FROM)
    images, trimaps = images_and_trimaps(data, entries)
    learned = digest(map(pixel_hash, [*images, *trimaps])).removeprefix(DIGEST)
    path = folder / SEGMENTER.format(learned[:12])
    if path.exists():
        return load_segmenter(session, path)
    segmenter = train_segmenter(session, images, trimaps)
    save_segmenter(segmenter, path)
    return segmenter


def images_and_trimaps(
    data: Path, entries: Sequence[Entry]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """RGB bytes (128, 128, 3) and trimaps (128, 128) of the middle of each image."""
    images, trimaps = (read(data, entries, IMAGE_SIZE) for read in (read_images, read_trimaps))
    return [centre_crop(i, IMAGE_SIZE) for i in images], [
        centre_crop(t, IMAGE_SIZE) for t in trimaps
    ]


def segmenter_iou(
    segmenter: Segmenter,
    data: Path,
    entries: Sequence[Entry],
    shown: Sequence[np.ndarray] | None = None,
) -> float:
    """Its mean IoU on real images, the trimaps' border left out.

    `shown`: RGB bytes (128, 128, 3) to read in their place, as the autoencoder gives them back.
    That is as well as generated images can be read, even where they follow their mask exactly.
    """
    images, trimaps = images_and_trimaps(data, entries)
    labels = np.stack(trimaps)
    predicted = foreground(segmenter, images if shown is None else shown)
    return float(mask_iou(predicted, labels == PET, labels != BORDER).mean())
