"""Training subjects from their photos to their file."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.begun import Facts, Value, digest, with_version
from ...core.counted import pluralize
from ...core.errors import InputError, ManyshotError
from ...core.subject_file import Subject, SubjectFile
from ..base.pictures import write_grid
from ..divergence import Diverged, diverging
from .adapted import Adapted
from .base_model import BaseModel
from .dreambooth import tune
from .fit import ADVICE, Fitted, Look, Stepped, fit, training_of
from .inversion import invert
from .lessons import Lesson, subject_prompts
from .lora import adapt
from .machine import Machine
from .memory import keep_no_activations
from .photos import Encoded, NewSubject, boxes_digest, encode_photos
from .prior import prior_lessons
from .sampling import draw_subject
from .settings import Settings
from .words import Token, check_word

SHOWN = 4  # pictures of each subject at each look
Looked = Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """The file of one or more subjects, and what its training chose."""

    path: Path
    facts: SubjectFile
    fitted: Fitted


def train_subjects(
    base: BaseModel,
    subjects: Sequence[NewSubject],
    settings: Settings,
    machine: Machine,
    path: Path,
    looked: Looked = lambda step, loss: None,
    keep_looks: bool = False,
    stepped: Stepped = lambda step: None,
    samples: int | None = None,
) -> Trained:
    """Train a fresh `base` on the photos of one or several subjects, and write the file `path`.

    A checkpoint beside it lets an interrupted training go on; `samples` pictures of each subject
    (default: 4) and look lie in samples/ there, and with `keep_looks` its files in looks/. Raises
    InputError for what cannot be trained and for a checkpoint of another training, ManyshotError
    when there is no room for the file, and Diverged, without a file, for weights that are not
    numbers.
    """
    settings = settings.settled(base.small)
    check_subjects(base, subjects, settings)
    check_room(path.parent, base, settings)
    base.on(machine.device)
    encoded = [encode_photos(base, subject.photos, settings.mirrored) for subject in subjects]
    nouns = list(dict.fromkeys(subject.token.noun for subject in subjects))
    prior = prior_lessons(base, nouns, settings, path.parent)
    adapted = adapted_base(base, [subject.token for subject in subjects], settings)
    adapted.base.on(machine.device)
    learned, held_out = lessons(adapted, subjects, encoded, settings)
    checkpoint = checkpoint_path(path, settings)

    def look(found: Look) -> None:
        each = SHOWN if samples is None else samples
        if each:
            _draw_samples(adapted, subjects, settings, path, found.step, each)
        if keep_looks and found.step:
            now = Fitted(found.step, found.step, {}, False, found.seconds)
            own = look_path(path, found.step)
            adapted.write(own, _facts(adapted, subjects, settings, now).metadata())
        looked(found.step, found.loss)

    begun = facts_of(base, subjects, settings)
    try:
        fitted = fit(
            adapted,
            [learned, *prior],
            held_out,
            settings,
            machine,
            checkpoint,
            begun,
            look,
            stepped,
        )
        facts = _facts(adapted, subjects, settings, fitted)
        if fitted.interrupted:
            return Trained(checkpoint, facts, fitted)
        with diverging(training_of(path, settings), fitted.steps, ADVICE):
            adapted.write(path, facts.metadata())
    except Diverged:
        checkpoint.unlink(missing_ok=True)  # nothing can go on from it
        raise
    checkpoint.unlink(missing_ok=True)
    return Trained(path, facts, fitted)


def facts_of(base: BaseModel, subjects: Sequence[NewSubject], settings: Settings) -> Facts:
    """What decides a training, by the names that readers know: it goes on with nothing else."""
    photos = [photo for subject in subjects for photo in subject.photos]
    words = [(one.token.word, one.token.noun, one.class_name, len(one.photos)) for one in subjects]
    facts: dict[str, Value] = {
        "photos": digest(photo.digest for photo in photos),
        "captions": digest(photo.context for photo in photos),
        "masks or boxes": boxes_digest(photos),
        "words": digest(map(repr, words)),
        "base": digest([base.digest]),
    }
    return with_version({**facts, **settings.model_dump(mode="json")})


def check_subjects(base: BaseModel, subjects: Sequence[NewSubject], settings: Settings) -> None:
    """Raises InputError for words that cannot be taught, or too many for the method."""
    for subject in subjects:
        check_word(base, subject.token.word)
    if len(subjects) > 1 and settings.method == "textual_inversion":
        raise InputError(
            "textual_inversion trains one word per file: omit 'together', or use lora."
        )


def adapted_base(base: BaseModel, tokens: Sequence[Token], settings: Settings) -> Adapted:
    """The base made ready for the method."""
    if settings.checkpointing:
        keep_no_activations(base)
    if settings.method == "textual_inversion":
        return invert(base, tokens[0], settings.vectors, settings.seed)
    if settings.method == "lora":
        text = settings.text is not False
        rank, alpha = settings.rank, settings.used_alpha
        return adapt(base, rank, alpha, text, settings.seed, settings.peft)
    return tune(base, bool(settings.text))


def lessons(
    adapted: Adapted,
    subjects: Sequence[NewSubject],
    encoded: Sequence[Sequence[Encoded]],
    settings: Settings,
) -> tuple[Lesson, Lesson | None]:
    """What is learned from, and what training is stopped by: each subject's last photos."""
    least = min(map(len, encoded))
    if least <= settings.held_out:
        raise InputError(
            f"There {'is' if least == 1 else 'are'} {pluralize(least, 'photo')} and "
            f"{settings.held_out} are held out: none are left to train on. Lower 'held_out', "
            "or add photos."
        )
    cut = -settings.held_out or None
    words = [adapted.word(subject.token) for subject in subjects]
    learned = _lesson(words, [photos[:cut] for photos in encoded])
    held_out = _lesson(words, [photos[cut:] for photos in encoded]) if settings.held_out else None
    return learned, held_out


def _lesson(words: Sequence[str], encoded: Sequence[Sequence[Encoded]]) -> Lesson:
    pairs = [(word, photo) for word, own in zip(words, encoded, strict=True) for photo in own]
    prompts = [subject_prompts(word, photo.context) for word, photo in pairs]
    return Lesson([photo for _, photo in pairs], prompts, 1.0)


def check_room(folder: Path, base: BaseModel, settings: Settings) -> None:
    """Raises ManyshotError when the disk cannot hold checkpoint and file."""
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


def checkpoint_path(path: Path, settings: Settings) -> Path:
    """Where the state of an unfinished training lies, of the training of the file `path`."""
    return path.with_suffix(f".{settings.method}.training")


def look_path(path: Path, step: int) -> Path:
    """Where the weights of a look lie, of the training of the file `path`."""
    return path.parent / "looks" / f"{path.stem}-{step:06d}.safetensors"


def _draw_samples(
    adapted: Adapted,
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
    adapted: Adapted, subjects: Sequence[NewSubject], settings: Settings, fitted: Fitted
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


def _subject(adapted: Adapted, subject: NewSubject) -> Subject:
    token, photos = subject.token, subject.photos
    word = f"embedding:{token.word}" if adapted.inverted else adapted.word(token)
    contexts = tuple(dict.fromkeys(photo.context for photo in photos if photo.context))
    digests = tuple(photo.digest for photo in photos)
    boxes = boxes_digest(photos)
    return Subject(token.word, token.noun, word, subject.class_name, digests, contexts, boxes)
