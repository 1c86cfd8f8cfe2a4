"""Prior preservation: the base's own pictures of a noun, learned beside the subject.

Ruiz et al. 2023, "DreamBooth", section 3.2: they keep the noun's meaning and its variety.
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
from .lessons import Lesson
from .photos import Encoded
from .sampling import draw_noun
from .settings import Settings

log = logging.getLogger(__name__)


def prior_lessons(
    base: BaseModel, nouns: Sequence[str], settings: Settings, folder: Path
) -> list[Lesson]:
    """`settings.prior` pictures of each noun, drawn once and kept as latents in `folder`."""
    if not settings.prior:
        return []
    latents = {noun: _latents(base, noun, settings, folder) for noun in nouns}
    pairs = [(noun, latent) for noun in nouns for latent in latents[noun]]
    photos = [
        Encoded(latent.float().expand(2, -1, -1, -1), (None, None), "") for _, latent in pairs
    ]
    prompts = [(f"a photo of a {noun}",) for noun, _ in pairs]
    return [Lesson(photos, prompts, settings.prior_weight)]


def _latents(base: BaseModel, noun: str, settings: Settings, folder: Path) -> Tensor:
    what = f"{base.digest} {noun} {settings.seed} {settings.guidance:g}"
    path = folder / f"prior-{sha256(what.encode()).hexdigest()[:16]}.latents"
    known = _kept(path)
    if len(known) < settings.prior:
        log.info("drawing %d pictures of a %s", settings.prior, noun)
        known = draw_noun(base, noun, settings.prior, settings.seed, settings.guidance).half()
        write_tensors(path, {"latents": known}, {"noun": noun})
    return known[: settings.prior]


def _kept(path: Path) -> Tensor:
    """The latents of a file; none where there is none, or it is damaged: they are drawn again."""
    try:
        return load_file(path)["latents"]
    except (OSError, SafetensorError, KeyError):
        return torch.empty(0)
