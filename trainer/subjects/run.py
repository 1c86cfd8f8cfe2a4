"""All subjects of a recipe: one file after the other, or one for all."""

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
from .photos import NewSubject, boxes_digest
from .recipe import SubjectRecipe
from .settings import Settings
from .train import Trained, checkpoint_path, train_subjects
from .wanted import new_subject, subjects_of

WRITTEN_BELOW = ("samples", "looks", "*-peft")
Told = Callable[[str, int, float], None]  # the file's name, step, held-out loss
Stepped = Callable[[str, int], None]  # the file's name, and how many steps are taken


def train_recipe(
    recipe: SubjectRecipe,
    base: Path,
    tokenizer: CLIPTokenizer,
    machine: Machine,
    told: Told = lambda name, step, loss: None,
    stepped: Stepped = lambda name, step: None,
) -> list[Trained]:
    """The files of a recipe, draw by draw where it says `each_draw`; those that are finished
    already are left as they are.

    Every file begins with the base as it was. Stops after the first one that is interrupted.
    Raises InputError while another process trains into the same folder.
    """
    trained: list[Trained] = []
    for draw in draw_recipes(recipe):
        with sole_use(draw.output, below=WRITTEN_BELOW):
            trained += _train(draw, base, tokenizer, machine, told, stepped)
        if trained and trained[-1].fitted.interrupted:
            break
    return trained


def _train(
    recipe: SubjectRecipe,
    base: Path,
    tokenizer: CLIPTokenizer,
    machine: Machine,
    told: Told,
    stepped: Stepped,
) -> list[Trained]:
    found: list[Trained] = []
    opened = open_base(base, tokenizer)
    subjects = [new_subject(subject, opened.size) for subject in subjects_of(recipe)]
    for name, group in _files(recipe, subjects).items():
        path = recipe.output / f"{name}.safetensors"
        if is_trained(path, recipe.settings, opened, group):
            # left by a process that was killed once the file was there
            checkpoint_path(path, recipe.settings).unlink(missing_ok=True)
            continue
        fresh = open_base(base, tokenizer)
        found.append(
            train_subjects(
                fresh,
                group,
                recipe.settings,
                machine,
                path,
                partial(told, name),
                recipe.keep_looks,
                partial(stepped, name),
                recipe.samples,
            )
        )
        if found[-1].fitted.interrupted:
            break
    return found


def _files(
    recipe: SubjectRecipe, subjects: Sequence[NewSubject]
) -> dict[str, Sequence[NewSubject]]:
    if recipe.together:
        return {recipe.together: subjects}
    return {subject.token.word: [subject] for subject in subjects}


def is_trained(
    path: Path, settings: Settings, base: BaseModel, subjects: Sequence[NewSubject]
) -> bool:
    """Whether the file is there, of this base, these photos and these settings.

    Raises InputError when a file of that name is there and is another's.
    """
    if not path.exists():
        return False
    facts = read_subject_file(path)
    same = (
        facts.base_digest == base.digest
        and _same_settings(facts.settings, settings.settled(base.small))
        and len(facts.subjects) == len(subjects)
        and all(map(_is_of, facts.subjects, subjects))
    )
    if not same:
        raise InputError(
            f"{path} was trained with a different base, photos, captions, masks, words or "
            "settings. Move it away, or choose another output or token."
        )
    return True


def _is_of(known: Subject, new: NewSubject) -> bool:
    """Whether a file's subject is this one, of these photos, captions, and masks or boxes."""
    token, photos = new.token, new.photos
    return (
        (known.token, known.noun, known.class_name) == (token.word, token.noun, new.class_name)
        and sorted(known.photos) == sorted(photo.digest for photo in photos)
        and set(known.contexts) == {photo.context for photo in photos if photo.context}
        and known.boxes in (None, boxes_digest(photos))
    )


def _same_settings(known: str, settings: Settings) -> bool:
    """Settings that came later are at their defaults in older files."""
    try:
        return Settings.model_validate_json(known) == settings
    except ValueError:
        return False
