"""Resolve a recipe's subjects and read their photos."""

from pathlib import Path

from ...core.class_folders import ClassFolder, find_class_folders
from ...core.classes import normalise_class
from ...core.counted import did_you_mean
from ...core.data.reader import is_annotated, read_folder
from ...core.errors import InputError
from ...core.image_files import image_files
from ...core.recipe_file import parse_recipe_data
from ..plain_words import plain_words
from .subject_photos import NewSubject, Photo, read_photos
from .subject_recipe import MAX_TOKEN, ClassFolders, Subject, SubjectRecipe
from .token_embeddings import Token


def list_subjects(recipe: SubjectRecipe) -> list[Subject]:
    """The recipe's list of subjects, or one for each class folder."""
    return class_subjects(recipe.classes) if recipe.classes else recipe.subjects


def class_subjects(classes: ClassFolders) -> list[Subject]:
    """A subject for each class folder, each with its own token.

    Raises InputError: no folders, a class without a noun.
    """
    folders = _class_folders(classes.folder)
    words = plain_words([folder.name for folder in folders], MAX_TOKEN - len(classes.ending))
    return [
        _class_subject(classes, folder, words[folder.name] + classes.ending) for folder in folders
    ]


def _class_folders(folder: Path) -> list[ClassFolder]:
    """The classes of a folder with their photos, by name; those that a file labels have no folder
    of their own."""
    if not is_annotated(folder):
        return find_class_folders(folder)
    photos: dict[str, list[Path]] = {}
    for image in read_folder(folder):
        photos.setdefault(image.single_class(), []).append(image.image)
    return [ClassFolder(name, folder, tuple(photos[name])) for name in sorted(photos)]


def _class_subject(classes: ClassFolders, class_folder: ClassFolder, token: str) -> Subject:
    name, folder, noun = class_folder.name, class_folder.folder, classes.noun
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
        "photos": list(class_folder.images) if folder == classes.folder else [folder],
        "masks": classes.masks and classes.masks / name,
        "captions": captions,
    }
    return parse_recipe_data(Subject, values, f"The class {name!r}")


def new_subject(subject: Subject, size: int) -> NewSubject:
    """Read a subject's photos, the shorter side `size` pixels.

    Raises InputError for unusable photos, masks and captions.
    """
    token = Token(subject.token, subject.noun)
    return NewSubject(token, _photos(subject, size), subject.class_name or subject.token)


def _photos(subject: Subject, size: int) -> list[Photo]:
    paths = [path for entry in subject.photos for path in _files(entry)]
    names = {path.name for path in paths}
    for what, entries in (("caption", subject.captions), ("box", subject.boxes)):
        unknown = next((name for name in entries if name not in names), None)
        if unknown:
            raise InputError(
                f"The {what} for {unknown!r} matches no photo of {subject.token!r}."
                + did_you_mean(unknown, names)
            )
    contexts = [subject.captions.get(path.name, "") for path in paths]
    masks = [_mask(subject.masks, path) for path in paths] if subject.masks else []
    boxes = [subject.boxes.get(path.name) for path in paths] if subject.boxes else []
    return read_photos(paths, size, contexts, masks, boxes)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        photos = image_files(path)
        if not photos:
            raise InputError(f"The folder {path} has no photos.")
        return photos
    if not path.is_file():
        raise InputError(f"There is no photo at {path}.")
    return [path]


def _mask(folder: Path, photo: Path) -> Path:
    path = folder / f"{photo.stem}.png"
    if not path.is_file():
        raise InputError(f"The photo {photo} has no mask at {path}.")
    return path
