"""Feature extractors that pictures are compared by: plugins, opened by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ...measure.backbones import open_model_backbone
from ...measure.feature_cache import cache_features
from ...measure.model import Model
from .clip import open_clip

BATCH = 32
CLIP = "clip"


@dataclass(frozen=True)
class Extractor:
    """`pictures` encodes RGB byte images into rows (n, width) of unit length; `texts` does so for
    prompts, if the network has a text encoder.

    `id`: name and version; `note`: what a reader of the figures must know about it.
    """

    id: str
    note: str
    pictures: Callable[[Sequence[np.ndarray]], np.ndarray]
    texts: Callable[[Sequence[str]], np.ndarray] | None = None


def open_extractor(name: str) -> Extractor:
    """opennsfw, efficientnet_lite0, a timm model (vit_small_patch16_224.dino), or clip[:model].

    timm models and CLIP are downloaded. Raises InputError for an unknown name.
    """
    kind, _, model = name.partition(":")
    if kind == CLIP:
        clip = open_clip(model) if model else open_clip()
        return Extractor(*clip)
    backbone = open_model_backbone(Model(name=name))
    return Extractor(backbone.id, backbone.note, backbone.features)


def features(extractor: Extractor, images: Sequence[np.ndarray], cache: Path) -> np.ndarray:
    """Rows (n, width) of RGB byte images; rows in `cache` are not computed again."""

    def compute(places: Sequence[int]) -> np.ndarray:
        missing = [images[place] for place in places]
        batches = [missing[i : i + BATCH] for i in range(0, len(missing), BATCH)]
        return np.concatenate([extractor.pictures(batch) for batch in batches])

    return cache_features([_digest(image) for image in images], compute, cache / extractor.id)


def _digest(image: np.ndarray) -> str:
    return sha256(f"{image.shape} ".encode() + np.ascontiguousarray(image).tobytes()).hexdigest()
