"""The nets that pictures are compared by, each behind one small value: a plugin by its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from ...measure.backbones import open_backbone_of
from ...measure.features import cached_features
from ...measure.model import Model
from .clip import open_clip

BATCH = 32
CLIP = "clip"


@dataclass(frozen=True)
class Extractor:
    """`pictures` turns RGB byte images into rows (n, width) of unit length; `texts` does so with
    prompts, of nets that know text.

    `id`: name and version; `note`: what a reader of figures must know of it.
    """

    id: str
    note: str
    pictures: Callable[[Sequence[np.ndarray]], np.ndarray]
    texts: Callable[[Sequence[str]], np.ndarray] | None = None


def open_extractor(name: str) -> Extractor:
    """opennsfw, efficientnet_lite0, a net of timm (vit_small_patch16_224.dino), or clip[:model].

    Only nets that are named are fetched, timm's and CLIP. Raises InputError when there is none.
    """
    kind, _, model = name.partition(":")
    if kind == CLIP:
        found = open_clip(model) if model else open_clip()
        return Extractor(*found)
    backbone = open_backbone_of(Model(name=name))
    return Extractor(backbone.id, backbone.note, backbone.features)


def features(extractor: Extractor, images: Sequence[np.ndarray], cache: Path) -> np.ndarray:
    """Rows (n, width) of RGB byte images; what `cache` holds is not computed again."""

    def compute(places: Sequence[int]) -> np.ndarray:
        wanted = [images[place] for place in places]
        parts = [wanted[i : i + BATCH] for i in range(0, len(wanted), BATCH)]
        return np.concatenate([extractor.pictures(part) for part in parts])

    return cached_features([_digest(one) for one in images], compute, cache / extractor.id)


def _digest(image: np.ndarray) -> str:
    return sha256(f"{image.shape} ".encode() + np.ascontiguousarray(image).tobytes()).hexdigest()
