"""All subjects of a recipe, one after the other."""

from collections.abc import Callable
from pathlib import Path

from transformers import CLIPTokenizer

from ...core.errors import InputError
from ...core.nearest import did_you_mean
from ..measure.images import image_files
from .base_model import BaseModel
from .facts import read_facts
from .fit import Machine
from .open_base import open_base
from .photos import Photo, photos_digest, read_photos
from .recipe import Subject, SubjectRecipe
from .train import Trained, train_subject
from .words import Token

Told = Callable[[str, int, float], None]  # token, step, held-out loss


def train_subjects(
    recipe: SubjectRecipe,
    base: Path,
    tokenizer: CLIPTokenizer,
    machine: Machine,
    told: Told = lambda token, step, loss: None,
) -> list[Trained]:
    """A file for each subject; those that are finished already are left as they are.

    Every subject begins with the base as it was. Stops after the first one that is interrupted.
    """
    found: list[Trained] = []
    for subject in recipe.subjects:
        opened = open_base(base, tokenizer)
        photos = subject_photos(recipe, subject, opened.size)
        if is_trained(recipe, subject, opened, photos):
            continue
        found.append(_trained(recipe, subject, opened, photos, machine, told))
        if found[-1].fitted.interrupted:
            break
    return found


def _trained(
    recipe: SubjectRecipe,
    subject: Subject,
    base: BaseModel,
    photos: list[Photo],
    machine: Machine,
    told: Told,
) -> Trained:
    token = Token(subject.token, subject.noun)
    return train_subject(
        base,
        token,
        photos,
        recipe.settings,
        machine,
        recipe.output,
        lambda step, loss: told(subject.token, step, loss),
    )


def is_trained(
    recipe: SubjectRecipe, subject: Subject, base: BaseModel, photos: list[Photo]
) -> bool:
    """Whether the subject's file is there, of this base, these photos and these settings.

    Raises InputError when a file of that name is there and is another's.
    """
    path = recipe.output / f"{subject.token}.safetensors"
    if not path.exists():
        return False
    facts = read_facts(path)
    same = (
        facts.base_digest == base.digest
        and facts.settings == recipe.settings.model_dump_json()
        and sorted(facts.photos) == sorted(photo.digest for photo in photos)
    )
    if not same:
        raise InputError(
            f"{path} was trained with another base, other photos ({photos_digest(photos)} now) or "
            "other settings. Move it away, or choose another output."
        )
    return True


def subject_photos(recipe: SubjectRecipe, subject: Subject, size: int) -> list[Photo]:
    """The photos of a subject with what their captions say."""
    paths = [path for given in subject.photos for path in _files(given)]
    names = {path.name for path in paths}
    unknown = next((name for name in subject.captions if name not in names), None)
    if unknown:
        raise InputError(
            f"The caption for {unknown!r} is of no photo of {subject.token!r}."
            + did_you_mean(unknown, names)
        )
    contexts = [subject.captions.get(path.name, "") for path in paths]
    masks = [_mask(subject.masks, path) for path in paths] if subject.masks else []
    return read_photos(paths, size, contexts, masks)


def _files(given: Path) -> list[Path]:
    if given.is_dir():
        found = image_files(given)
        if not found:
            raise InputError(f"The folder {given} has no photos.")
        return found
    if not given.is_file():
        raise InputError(f"There is no photo at {given}.")
    return [given]


def _mask(folder: Path, photo: Path) -> Path:
    path = folder / f"{photo.stem}.png"
    if not path.is_file():
        raise InputError(f"The photo {photo} has no mask at {path}.")
    return path
