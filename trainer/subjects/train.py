"""Training a subject from its photos to its file."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from ...core.errors import InputError, ManyshotError
from ...core.files import write_whole
from ..base.pictures import write_grid
from .adapted import Adapted
from .base_model import BaseModel
from .dreambooth import tune
from .facts import Facts
from .fit import Fitted, Machine, fit
from .inversion import invert
from .lessons import Lesson, subject_prompts
from .lora import adapt
from .photos import Encoded, Photo, encode_photos
from .sampling import draw_noun, draw_subject
from .settings import Settings
from .words import Token, check_word

log = logging.getLogger(__name__)
SHOWN = 4  # pictures at each look
Looked = Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """The file of a subject, and what its training came to."""

    path: Path
    facts: Facts
    fitted: Fitted


def train_subject(
    base: BaseModel,
    token: Token,
    photos: list[Photo],
    settings: Settings,
    machine: Machine,
    folder: Path,
    looked: Looked = lambda step, loss: None,
) -> Trained:
    """Train a fresh `base` on photos and write `folder`/<token>.safetensors.

    A checkpoint beside it lets an interrupted training go on; pictures of each look lie in
    `folder`/samples. Raises InputError for what cannot be trained, ManyshotError when there is no
    room for the file.
    """
    check_word(base, token.word)
    check_room(folder, base, settings)
    base.on(machine.device)
    encoded = encode_photos(base, photos, settings.mirrored)
    prior = prior_lesson(base, token.noun, settings, folder) if settings.prior else []
    adapted = adapted_base(base, token, settings)
    adapted.base.on(machine.device)
    learned, held_out = lessons(adapted, encoded, settings)
    checkpoint = folder / f"{token.word}.{settings.method}.training"
    fitted = fit(
        adapted,
        [learned, *prior],
        held_out,
        settings,
        machine,
        checkpoint,
        lambda step, loss: _look(adapted, settings, folder, step, loss, looked),
    )
    facts = _facts(adapted, photos, settings, fitted)
    if fitted.interrupted:
        return Trained(checkpoint, facts, fitted)
    path = adapted.write(folder, token.word, facts.metadata())
    checkpoint.unlink(missing_ok=True)
    return Trained(path, facts, fitted)


def adapted_base(base: BaseModel, token: Token, settings: Settings) -> Adapted:
    """The base made ready for the method."""
    if settings.method == "textual_inversion":
        return invert(base, token, settings.vectors, settings.seed)
    if settings.method == "lora":
        text = settings.text is not False
        return adapt(base, token, settings.rank, settings.used_alpha, text, settings.seed)
    return tune(base, token, bool(settings.text))


def lessons(
    adapted: Adapted, photos: list[Encoded], settings: Settings
) -> tuple[Lesson, Lesson | None]:
    """What is learned from, and what training is stopped by: the last photos."""
    prompts = [subject_prompts(adapted.word, photo.context) for photo in photos]
    count = len(photos) - settings.held_out
    if count < 1:
        raise InputError(
            f"There are {len(photos)} photos and {settings.held_out} are held out: none is left "
            "to learn from. Lower 'held_out', or add photos."
        )
    held_out = Lesson(photos[count:], prompts[count:], 1.0) if settings.held_out else None
    return Lesson(photos[:count], prompts[:count], 1.0), held_out


def prior_lesson(base: BaseModel, noun: str, settings: Settings, folder: Path) -> list[Lesson]:
    """Pictures that the base draws of the noun, kept as latents beside the checkpoints."""
    path = folder / f"prior-{base.digest[:12]}-{settings.seed}-{settings.guidance:g}.latents"
    known = _known_latents(path, noun)
    if len(known) < settings.prior:
        log.info("drawing %d pictures of a %s", settings.prior, noun)
        known = draw_noun(base, noun, settings.prior, settings.seed, settings.guidance)
        write_whole(path, save({"latents": known.half()}, {"noun": noun}))
    text = f"a photo of a {noun}"
    photos = [
        Encoded(latent.float().expand(2, -1, -1, -1), (None, None), "")
        for latent in known[: settings.prior]
    ]
    return [Lesson(photos, [(text,)] * len(photos), settings.prior_weight)]


def _known_latents(path: Path, noun: str) -> Tensor:
    if not path.exists():
        return torch.empty(0)
    with safe_open(path, "pt") as file:
        same = (file.metadata() or {}).get("noun") == noun
    return load_file(path)["latents"] if same else torch.empty(0)


def check_room(folder: Path, base: BaseModel, settings: Settings) -> None:
    """Raises ManyshotError when the disk cannot hold checkpoint and file."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = sum(p.numel() for p in base.unet.parameters())
    needed = whole * 4 * 6 if settings.method == "dreambooth" else whole // 10 * 4 + 50_000_000
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ManyshotError(
            f"{folder} has {free / 1e9:.1f} GB free, and {settings.method} needs about "
            f"{needed / 1e9:.1f} GB for its checkpoint and its file. Make room, or choose another "
            "folder."
        )


def _look(
    adapted: Adapted, settings: Settings, folder: Path, step: int, loss: float, looked: Looked
) -> None:
    prompts = [f"a photo of a {adapted.word}"] * SHOWN
    pixels = draw_subject(adapted, prompts, settings.seed, guidance=settings.guidance)
    write_grid(folder / "samples" / f"{adapted.token.word}-{step:06d}.png", pixels, SHOWN)
    looked(step, loss)


def _facts(adapted: Adapted, photos: list[Photo], settings: Settings, fitted: Fitted) -> Facts:
    base, token = adapted.base, adapted.token
    word = f"embedding:{token.word}" if adapted.vectors else adapted.word
    return Facts(
        settings.method,
        base.name,
        base.digest,
        token.word,
        token.noun,
        word,
        fitted.step,
        fitted.steps,
        tuple(photo.digest for photo in photos),
        settings.model_dump_json(),
    )
