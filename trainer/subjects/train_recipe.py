"""Train all subjects of a recipe: a file for each, or one for all."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from transformers import CLIPTokenizer

from ...core.errors import InputError
from ...core.sole_use import sole_use
from ...core.subject_file import Subject, read_subject_file
from .base_model import BaseModel
from .each_draw import draw_recipes
from .machine import Machine
from .open_base import open_base
from .resolve_subjects import list_subjects, new_subject
from .subject_photos import NewSubject, boxes_digest
from .subject_recipe import SubjectRecipe
from .subject_settings import Settings
from .train_subject import TrainedFile, train_subjects, training_state_path

WRITTEN_BELOW = ("samples", "looks", "*-peft")
OnFileValidation = Callable[[str, int, float], None]  # (file name, step, held-out loss)
OnFileStep = Callable[[str, int], None]  # (file name, steps taken)


def train_recipe(
    recipe: SubjectRecipe,
    base: Path,
    tokenizer: CLIPTokenizer,
    machine: Machine,
    on_validation: OnFileValidation = lambda name, step, loss: None,
    on_step: OnFileStep = lambda name, step: None,
) -> list[TrainedFile]:
    """Train the files of a recipe, draw by draw with `each_draw`; finished ones are left alone.

    Each file starts from a fresh base. Stops after the first interrupted one. Raises InputError
    while another process trains into the same folder.
    """
    trained: list[TrainedFile] = []
    for draw in draw_recipes(recipe):
        with sole_use(draw.output, below=WRITTEN_BELOW):
            trained += _train(draw, base, tokenizer, machine, on_validation, on_step)
        if trained and trained[-1].fitted.interrupted:
            break
    return trained


def _train(
    recipe: SubjectRecipe,
    base: Path,
    tokenizer: CLIPTokenizer,
    machine: Machine,
    on_validation: OnFileValidation,
    on_step: OnFileStep,
) -> list[TrainedFile]:
    trained: list[TrainedFile] = []
    loaded = open_base(base, tokenizer)
    subjects = [new_subject(subject, loaded.size) for subject in list_subjects(recipe)]
    for name, group in _files(recipe, subjects).items():
        path = recipe.output / f"{name}.safetensors"
        if is_trained(path, recipe.settings, loaded, group):
            # left by a process that was killed once the file was there
            training_state_path(path, recipe.settings).unlink(missing_ok=True)
            continue
        fresh = open_base(base, tokenizer)
        trained.append(
            train_subjects(
                fresh,
                group,
                recipe.settings,
                machine,
                path,
                partial(on_validation, name),
                recipe.keep_looks,
                partial(on_step, name),
                recipe.samples,
            )
        )
        if trained[-1].fitted.interrupted:
            break
    return trained


def _files(
    recipe: SubjectRecipe, subjects: Sequence[NewSubject]
) -> dict[str, Sequence[NewSubject]]:
    if recipe.together:
        return {recipe.together: subjects}
    return {subject.token.word: [subject] for subject in subjects}


def is_trained(
    path: Path, settings: Settings, base: BaseModel, subjects: Sequence[NewSubject]
) -> bool:
    """Whether the file exists and has this base, these photos and these settings.

    Raises InputError when the file exists and has others.
    """
    if not path.exists():
        return False
    facts = read_subject_file(path)
    same = (
        facts.base_digest == base.digest
        and _same_settings(facts.settings, settings.resolve_defaults(base.small))
        and len(facts.subjects) == len(subjects)
        and all(map(_matches, facts.subjects, subjects))
    )
    if not same:
        raise InputError(
            f"{path} was trained with a different base, photos, captions, masks, words or "
            "settings. Move it away, or choose another output or token."
        )
    return True


def _matches(subject: Subject, new: NewSubject) -> bool:
    """Whether a file's subject has this one's names, photos, captions, and masks or boxes."""
    token, photos = new.token, new.photos
    return (
        (subject.token, subject.noun, subject.class_name)
        == (token.word, token.noun, new.class_name)
        and sorted(subject.photos) == sorted(photo.digest for photo in photos)
        and set(subject.contexts) == {photo.context for photo in photos if photo.context}
        and subject.boxes in (None, boxes_digest(photos))
    )


def _same_settings(text: str, settings: Settings) -> bool:
    """Whether settings are equal; missing ones of older files have their defaults."""
    try:
        return Settings.model_validate_json(text) == settings
    except ValueError:
        return False
