"""Prior preservation: the base's own pictures of a noun are trained on beside the subject.

Ruiz et al. 2023, "DreamBooth", section 3.2: this preserves the noun's meaning and diversity.
"""

import logging
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..tensor_files import write_tensors
from .base_model import BaseModel
from .sampling import draw_noun
from .subject_photos import EncodedPhoto
from .subject_settings import Settings
from .training_batches import TrainingSet

log = logging.getLogger(__name__)


def prior_training_sets(
    base: BaseModel, nouns: Sequence[str], settings: Settings, folder: Path
) -> list[TrainingSet]:
    """`settings.prior` pictures of each noun, drawn once and cached as latents in `folder`."""
    if not settings.prior:
        return []
    latents = {noun: _latents(base, noun, settings, folder) for noun in nouns}
    pairs = [(noun, latent) for noun in nouns for latent in latents[noun]]
    photos = [
        EncodedPhoto(latent.float().expand(2, -1, -1, -1), (None, None), "") for _, latent in pairs
    ]
    prompts = [(f"a photo of a {noun}",) for noun, _ in pairs]
    return [TrainingSet(photos, prompts, settings.prior_weight)]


def _latents(base: BaseModel, noun: str, settings: Settings, folder: Path) -> Tensor:
    what = f"{base.digest} {noun} {settings.seed} {settings.guidance:g}"
    path = folder / f"prior-{sha256(what.encode()).hexdigest()[:16]}.latents"
    latents = _read_cached(path)
    if len(latents) < settings.prior:
        log.info("drawing %d pictures of a %s", settings.prior, noun)
        latents = draw_noun(base, noun, settings.prior, settings.seed, settings.guidance).half()
        write_tensors(path, {"latents": latents}, {"noun": noun})
    return latents[: settings.prior]


def _read_cached(path: Path) -> Tensor:
    """The latents of a file; empty if it is missing or damaged, so that they are drawn again."""
    try:
        return load_file(path)["latents"]
    except (OSError, SafetensorError, KeyError):
        return torch.empty(0)
