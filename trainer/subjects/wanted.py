"""The subjects that a recipe asks for, with their photos read."""

from pathlib import Path

from ...core.class_folders import ClassFolder, find_class_folders
from ...core.classes import normalise_class
from ...core.counted import did_you_mean
from ...core.errors import InputError
from ...core.image_files import image_files
from ...core.recipe_file import parse_recipe_data
from ..plain_words import plain_words
from .photos import NewSubject, Photo, read_photos
from .recipe import MAX_TOKEN, ClassFolders, Subject, SubjectRecipe
from .words import Token


def subjects_of(recipe: SubjectRecipe) -> list[Subject]:
    """The recipe's list, or one for each class folder."""
    return class_subjects(recipe.classes) if recipe.classes else recipe.subjects


def class_subjects(classes: ClassFolders) -> list[Subject]:
    """A subject for each class folder, each with a token of its own.

    Raises InputError: no folders, a class without a noun.
    """
    folders = find_class_folders(classes.folder)
    words = plain_words([one.name for one in folders], MAX_TOKEN - len(classes.ending))
    return [_class_subject(classes, one, words[one.name] + classes.ending) for one in folders]


def _class_subject(classes: ClassFolders, found: ClassFolder, token: str) -> Subject:
    name, folder, noun = found.name, found.folder, classes.noun
    if isinstance(noun, dict):
        noun = {normalise_class(key): value for key, value in noun.items()}
        if name not in noun:
            raise InputError(
                f"'noun' has no entry for the class {name!r}." + did_you_mean(name, noun)
            )
        noun = noun[name]
    start = f"{name}/"
    captions = {
        key.removeprefix(start): text
        for key, text in classes.captions.items()
        if key.startswith(start)
    }
    values = {
        "token": token,
        "noun": noun,
        "class_name": name,
        "photos": [folder],
        "masks": classes.masks and classes.masks / name,
        "captions": captions,
    }
    return parse_recipe_data(Subject, values, f"The class {name!r}")


def new_subject(subject: Subject, size: int) -> NewSubject:
    """A subject with its photos read, the shorter side `size` pixels.

    Raises InputError for photos, masks and captions that cannot be used.
    """
    token = Token(subject.token, subject.noun)
    return NewSubject(token, _photos(subject, size), subject.class_name or subject.token)


def _photos(subject: Subject, size: int) -> list[Photo]:
    paths = [path for given in subject.photos for path in _files(given)]
    names = {path.name for path in paths}
    for what, given in (("caption", subject.captions), ("box", subject.boxes)):
        unknown = next((name for name in given if name not in names), None)
        if unknown:
            raise InputError(
                f"The {what} for {unknown!r} matches no photo of {subject.token!r}."
                + did_you_mean(unknown, names)
            )
    contexts = [subject.captions.get(path.name, "") for path in paths]
    masks = [_mask(subject.masks, path) for path in paths] if subject.masks else []
    boxes = [subject.boxes.get(path.name) for path in paths] if subject.boxes else []
    return read_photos(paths, size, contexts, masks, boxes)


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
