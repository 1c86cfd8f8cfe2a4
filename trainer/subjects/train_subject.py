"""Train subjects: from their photos to their file."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.begun import Facts, Value, digest, with_version
from ...core.counted import pluralize
from ...core.errors import InputError, ManyshotError
from ...core.subject_file import Subject, SubjectFile
from ..divergence import Diverged, diverging
from ..images import write_grid
from .adapted_model import AdaptedModel
from .base_model import BaseModel
from .dreambooth import prepare_dreambooth
from .fit import ADVICE, FitResult, OnStep, Validation, describe_training, fit
from .inversion import prepare_inversion
from .lora import prepare_lora
from .machine import Machine, checkpoint_gradients
from .prior import prior_training_sets
from .sampling import draw_subject
from .subject_photos import EncodedPhoto, NewSubject, boxes_digest, encode_photos
from .subject_settings import Settings
from .token_embeddings import Token, check_word
from .training_batches import TrainingSet, subject_prompts

SAMPLES = 4  # pictures of each subject at each validation
OnValidation = Callable[[int, float], None]


@dataclass(frozen=True)
class TrainedFile:
    """The file of one or more subjects, and the result of its training."""

    path: Path
    facts: SubjectFile
    fitted: FitResult


def train_subjects(
    base: BaseModel,
    subjects: Sequence[NewSubject],
    settings: Settings,
    machine: Machine,
    path: Path,
    on_validation: OnValidation = lambda step, loss: None,
    keep_looks: bool = False,
    on_step: OnStep = lambda step: None,
    samples: int | None = None,
) -> TrainedFile:
    """Train a fresh `base` on the photos of one or several subjects, and write the file `path`.

    A checkpoint beside it lets an interrupted training resume. Each validation writes `samples`
    pictures of each subject (default: 4) to samples/ there and, with `keep_looks`, its weights to
    looks/. Raises InputError for what cannot be trained and for a checkpoint of another training,
    ManyshotError when the disk is full, and Diverged, without a file, for weights that are not
    finite.
    """
    settings = settings.resolve_defaults(base.small)
    check_subjects(base, subjects, settings)
    check_disk_space(path.parent, base, settings)
    base.on(machine.device)
    encoded = [encode_photos(base, subject.photos, settings.mirrored) for subject in subjects]
    nouns = list(dict.fromkeys(subject.token.noun for subject in subjects))
    prior = prior_training_sets(base, nouns, settings, path.parent)
    adapted = adapt_base(base, [subject.token for subject in subjects], settings)
    adapted.base.on(machine.device)
    training_set, held_out = build_training_sets(adapted, subjects, encoded, settings)
    checkpoint = training_state_path(path, settings)

    def validate(validation: Validation) -> None:
        each = SAMPLES if samples is None else samples
        if each:
            _draw_samples(adapted, subjects, settings, path, validation.step, each)
        if keep_looks and validation.step:
            result = FitResult(validation.step, validation.step, {}, False, validation.seconds)
            step_checkpoint = step_checkpoint_path(path, validation.step)
            adapted.write(step_checkpoint, _facts(adapted, subjects, settings, result).metadata())
        on_validation(validation.step, validation.loss)

    begun = training_facts(base, subjects, settings)
    try:
        fitted = fit(
            adapted,
            [training_set, *prior],
            held_out,
            settings,
            machine,
            checkpoint,
            begun,
            validate,
            on_step,
        )
        facts = _facts(adapted, subjects, settings, fitted)
        if fitted.interrupted:
            return TrainedFile(checkpoint, facts, fitted)
        with diverging(describe_training(path, settings), fitted.steps, ADVICE):
            adapted.write(path, facts.metadata())
    except Diverged:
        checkpoint.unlink(missing_ok=True)  # nothing can go on from it
        raise
    checkpoint.unlink(missing_ok=True)
    return TrainedFile(path, facts, fitted)


def training_facts(base: BaseModel, subjects: Sequence[NewSubject], settings: Settings) -> Facts:
    """The facts that decide a training; a checkpoint resumes only with the same ones."""
    photos = [photo for subject in subjects for photo in subject.photos]
    words = [
        (subject.token.word, subject.token.noun, subject.class_name, len(subject.photos))
        for subject in subjects
    ]
    facts: dict[str, Value] = {
        "photos": digest(photo.digest for photo in photos),
        "captions": digest(photo.context for photo in photos),
        "masks or boxes": boxes_digest(photos),
        "words": digest(map(repr, words)),
        "base": digest([base.digest]),
    }
    return with_version({**facts, **settings.model_dump(mode="json")})


def check_subjects(base: BaseModel, subjects: Sequence[NewSubject], settings: Settings) -> None:
    """Raises InputError for words that cannot be trained, or too many for the method."""
    for subject in subjects:
        check_word(base, subject.token.word)
    if len(subjects) > 1 and settings.method == "textual_inversion":
        raise InputError(
            "textual_inversion trains one word per file: omit 'together', or use lora."
        )


def adapt_base(base: BaseModel, tokens: Sequence[Token], settings: Settings) -> AdaptedModel:
    """Prepare the base for the method."""
    if settings.checkpointing:
        checkpoint_gradients(base)
    if settings.method == "textual_inversion":
        return prepare_inversion(base, tokens[0], settings.vectors, settings.seed)
    if settings.method == "lora":
        text = settings.text is not False
        rank, alpha = settings.rank, settings.used_alpha
        return prepare_lora(base, rank, alpha, text, settings.seed, settings.peft)
    return prepare_dreambooth(base, bool(settings.text))


def build_training_sets(
    adapted: AdaptedModel,
    subjects: Sequence[NewSubject],
    encoded: Sequence[Sequence[EncodedPhoto]],
    settings: Settings,
) -> tuple[TrainingSet, TrainingSet | None]:
    """The training set, and the held-out set for early stopping: each subject's last photos."""
    least = min(map(len, encoded))
    if least <= settings.held_out:
        raise InputError(
            f"There {'is' if least == 1 else 'are'} {pluralize(least, 'photo')} and "
            f"{settings.held_out} are held out: none are left to train on. Lower 'held_out', "
            "or add photos."
        )
    cut = -settings.held_out or None
    words = [adapted.word(subject.token) for subject in subjects]
    training_set = _training_set(words, [photos[:cut] for photos in encoded])
    held_out = (
        _training_set(words, [photos[cut:] for photos in encoded]) if settings.held_out else None
    )
    return training_set, held_out


def _training_set(words: Sequence[str], encoded: Sequence[Sequence[EncodedPhoto]]) -> TrainingSet:
    pairs = [(word, photo) for word, photos in zip(words, encoded, strict=True) for photo in photos]
    prompts = [subject_prompts(word, photo.context) for word, photo in pairs]
    return TrainingSet([photo for _, photo in pairs], prompts, 1.0)


def check_disk_space(folder: Path, base: BaseModel, settings: Settings) -> None:
    """Raises ManyshotError when the disk has no room for the checkpoint and the file."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = sum(p.numel() for p in base.unet.parameters())
    needed = whole * 4 * 6 if settings.method == "dreambooth" else whole // 10 * 4 + 50_000_000
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ManyshotError(
            f"{folder} has {free / 1e9:.1f} GB free, and {settings.method} needs about "
            f"{needed / 1e9:.1f} GB for its checkpoint and its file. Free up space, or "
            "choose another folder."
        )


def training_state_path(path: Path, settings: Settings) -> Path:
    """The state of an unfinished training of the file `path`."""
    return path.with_suffix(f".{settings.method}.training")


def step_checkpoint_path(path: Path, step: int) -> Path:
    """The weights at a step of the training of the file `path`."""
    return path.parent / "looks" / f"{path.stem}-{step:06d}.safetensors"


def _draw_samples(
    adapted: AdaptedModel,
    subjects: Sequence[NewSubject],
    settings: Settings,
    path: Path,
    step: int,
    each: int,
) -> None:
    words = [adapted.word(subject.token) for subject in subjects]
    prompts = [f"a photo of a {word}" for word in words for _ in range(each)]
    pixels = draw_subject(adapted, prompts, settings.seed, guidance=settings.guidance)
    write_grid(path.parent / "samples" / f"{path.stem}-{step:06d}.png", pixels, each)


def _facts(
    adapted: AdaptedModel, subjects: Sequence[NewSubject], settings: Settings, fitted: FitResult
) -> SubjectFile:
    return SubjectFile(
        settings.method,
        adapted.base.name,
        adapted.base.digest,
        tuple(_subject(adapted, subject) for subject in subjects),
        fitted.step,
        fitted.steps,
        settings.model_dump_json(),
        fitted.seconds,
    )


def _subject(adapted: AdaptedModel, subject: NewSubject) -> Subject:
    token, photos = subject.token, subject.photos
    word = f"embedding:{token.word}" if adapted.inverted else adapted.word(token)
    contexts = tuple(dict.fromkeys(photo.context for photo in photos if photo.context))
    digests = tuple(photo.digest for photo in photos)
    boxes = boxes_digest(photos)
    return Subject(token.word, token.noun, word, subject.class_name, digests, contexts, boxes)
