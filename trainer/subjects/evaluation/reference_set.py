"""The reference set of a class: real photos of it and of other classes, and their features."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ...images import to_bytes, to_pixels
from ...measure.pixels.pixel_cache import resize_square
from ..base_model import BaseModel
from .extractors import Extractor, features
from .memorisation import crop_centre
from .prompt_fidelity import ClassProbe, train_class_probe
from .real_photos import RealPhotos, read_pixels
from .subject_fidelity import Bounds, bounds, ceiling, diversity


@dataclass(frozen=True)
class ReferenceFeatures:
    """The held-out photos' features (n, d) of unit length by one extractor, and reference values.

    `diversity`: of training and held-out photos together.
    """

    held_out: np.ndarray
    bounds: Bounds
    probe: ClassProbe | None
    diversity: float | None
    autoencoder: float | None
    own_class: float | None


@dataclass(frozen=True)
class ReferenceSet:
    """RGB bytes of the photos, the training photos by sha256; `features` by the extractor's id."""

    class_name: str
    training: dict[str, np.ndarray]
    held_out: list[np.ndarray]
    features: dict[str, ReferenceFeatures]


@dataclass(frozen=True)
class FeatureExtractors:
    """Several extractors, and the folder that caches their features."""

    extractors: tuple[Extractor, ...]
    cache: Path

    @property
    def notes(self) -> dict[str, str]:
        """The note on each extractor, by its id."""
        return {extractor.id: extractor.note for extractor in self.extractors}

    def extract(self, images: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Features (n, d) of the centre squares of RGB byte images, by extractor."""
        squares = [crop_centre(image) for image in images]
        return {
            extractor.id: features(extractor, squares, self.cache) for extractor in self.extractors
        }


@lru_cache(maxsize=1024)
def extract_photo_features(
    extractor: FeatureExtractors, paths: tuple[Path, ...], size: int
) -> dict[str, np.ndarray]:
    """Features (n, d) of photos read at a size; cached, as all subjects share the other classes."""
    return extractor.extract(read_pixels(paths, size))


def build_reference_set(
    class_name: str,
    photos: RealPhotos,
    size: int,
    extractor: FeatureExtractors,
    base: BaseModel | None = None,
) -> ReferenceSet:
    """The reference set of a class for pictures of `size` pixels; photos are read at that size.

    With a base, it includes how similar photos reconstructed by its autoencoder are.
    """
    training = read_pixels(list(photos.training.values()), size)
    held_out = read_pixels(photos.held_out, size)
    own_features = extractor.extract([*training, *held_out])
    other_classes = {
        name: extract_photo_features(extractor, paths, size)
        for name, paths in photos.other_classes.items()
    }
    reconstructed = extractor.extract(reconstruct(base, [*training, *held_out])) if base else None
    features = {
        extractor.id: _extract_reference(
            class_name,
            own_features[extractor.id],
            len(training),
            {name: rows[extractor.id] for name, rows in other_classes.items()},
            reconstructed[extractor.id] if reconstructed else None,
        )
        for extractor in extractor.extractors
    }
    training_images = dict(zip(photos.training, training, strict=True))
    return ReferenceSet(class_name, training_images, held_out, features)


def _extract_reference(
    class_name: str,
    photos: np.ndarray,
    training: int,
    other_classes: dict[str, np.ndarray],
    reconstructed: np.ndarray | None,
) -> ReferenceFeatures:
    held_out = photos[training:]
    probe = train_class_probe({class_name: held_out, **other_classes})
    own_class = probe.share(photos[:training], class_name) if probe and training else None
    return ReferenceFeatures(
        held_out,
        bounds(photos, held_out, other_classes),
        probe,
        diversity(photos),
        None if reconstructed is None else ceiling(reconstructed, held_out),
        own_class,
    )


@torch.inference_mode()
def reconstruct(base: BaseModel, images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Photos reconstructed by the base's autoencoder: RGB bytes (side, side, 3)."""
    device, reconstructions = next(base.unet.parameters()).device, []
    for image in images:
        square = torch.from_numpy(resize_square(crop_centre(image), base.size).copy())
        latents = base.codec.encode(to_pixels(square)[None].to(device))
        reconstructions.append(to_bytes(base.codec.decode(latents).cpu())[0].numpy())
    return reconstructions
