"""What pictures of one class are judged by: real photos of it and of others, by each extractor."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ...base.pictures import to_bytes, to_pixels
from ...measure.pixels.store import sized
from ..base_model import BaseModel
from .diversity import diversity
from .extractors import Extractor, features
from .likeness import Bounds, bounds, ceiling
from .memory import middle
from .obedience import ClassProbe, class_probe
from .real import RealPhotos, read_pixels


@dataclass(frozen=True)
class Seen:
    """The real photos by one extractor: features (n, d) of unit length, and what follows of them.

    `varied`: the diversity of training and held-out photos together.
    """

    held_out: np.ndarray
    bounds: Bounds
    probe: ClassProbe | None
    varied: float | None
    autoencoder: float | None
    own_class: float | None


@dataclass(frozen=True)
class Standard:
    """RGB bytes of the photos, those of training by their sha256; `seen` by the extractor's id."""

    class_name: str
    training: dict[str, np.ndarray]
    held_out: list[np.ndarray]
    seen: dict[str, Seen]


@dataclass(frozen=True)
class Eyes:
    """The extractors, and the folder that keeps features."""

    extractors: tuple[Extractor, ...]
    cache: Path

    def see(self, images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Features (n, d) of RGB byte images, of the square in their middle, by extractor."""
        squares = [middle(image) for image in images]
        return {one.id: features(one, squares, self.cache) for one in self.extractors}


@lru_cache(maxsize=1024)
def see_photos(eyes: Eyes, paths: tuple[Path, ...], size: int) -> dict[str, np.ndarray]:
    """Features (n, d) of photos read at a size; the other classes are the same for all subjects."""
    return eyes.see(read_pixels(paths, size))


def make_standard(
    class_name: str, photos: RealPhotos, size: int, eyes: Eyes, base: BaseModel | None = None
) -> Standard:
    """The standard of a class for pictures of `size` pixels; photos are read at that size.

    Without a base nothing is said of its autoencoder.
    """
    training = read_pixels(list(photos.training.values()), size)
    held_out = read_pixels(photos.held_out, size)
    everything = eyes.see([*training, *held_out])
    others = {name: see_photos(eyes, paths, size) for name, paths in photos.others.items()}
    coded = eyes.see(through_autoencoder(base, [*training, *held_out])) if base else None
    seen = {
        one.id: _seen(
            class_name,
            everything[one.id],
            len(training),
            {name: rows[one.id] for name, rows in others.items()},
            coded[one.id] if coded else None,
        )
        for one in eyes.extractors
    }
    known = dict(zip(photos.training, training, strict=True))
    return Standard(class_name, known, held_out, seen)


def _seen(
    class_name: str,
    photos: np.ndarray,
    training: int,
    others: dict[str, np.ndarray],
    coded: np.ndarray | None,
) -> Seen:
    held_out = photos[training:]
    probe = class_probe({class_name: held_out, **others})
    known = probe.share(photos[:training], class_name) if probe and training else None
    return Seen(
        held_out,
        bounds(photos, held_out, others),
        probe,
        diversity(photos),
        None if coded is None else ceiling(coded, held_out),
        known,
    )


@torch.inference_mode()
def through_autoencoder(base: BaseModel, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Photos as the base's autoencoder gives them back: RGB bytes (side, side, 3)."""
    device, found = next(base.unet.parameters()).device, []
    for image in images:
        square = torch.from_numpy(sized(middle(image), base.size).copy())
        latents = base.codec.encode(to_pixels(square)[None].to(device))
        found.append(to_bytes(base.codec.decode(latents).cpu())[0].numpy())
    return found
