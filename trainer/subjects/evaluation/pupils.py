"""Classes that files learned: with their photos, and the pictures that the files draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....core.errors import InputError
from ....core.subject_file import Subject, SubjectFile, read_subject_file
from ..adapted import Adapted
from ..base_model import BaseModel
from ..open_base import file_digest
from ..words import Token
from .pictures import Pictures, draw_pictures
from .real import Found, RealPhotos, photos_of
from .standard import Standard, make_standard
from .wanted import BaseFile, Told, Wanted

DRAWN = "drawn"  # the folder that keeps pictures


@dataclass(frozen=True)
class Learned:
    """A subject of a trained file."""

    path: Path
    facts: SubjectFile
    subject: Subject


@dataclass(frozen=True)
class Pupil:
    """A class, the files that learned it, its photos, and what its pictures are judged by."""

    class_name: str
    learned: tuple[Learned, ...]
    photos: RealPhotos
    standard: Standard

    def training(self, one: Learned) -> list[np.ndarray]:
        """Those photos of the file that are there."""
        known = self.standard.training
        return [known[digest] for digest in one.subject.photos if digest in known]


def read_learned(files: Sequence[Path], base: BaseModel) -> dict[str, list[Learned]]:
    """The subjects of files by class, in the order of the files.

    Raises InputError for a file of another base.
    """
    by_class: dict[str, list[Learned]] = {}
    for path in files:
        facts = read_subject_file(path)
        if facts.base_digest != base.digest:
            raise InputError(
                f"{path} was trained on {facts.base} ({facts.base_digest[:12]}), and this base is "
                f"{base.name} ({base.digest[:12]}). Give its own with --base."
            )
        for subject in facts.subjects:
            by_class.setdefault(subject.class_name, []).append(Learned(path, facts, subject))
    return by_class


def make_pupil(
    class_name: str,
    learned: Sequence[Learned],
    found: Sequence[Found],
    base: BaseModel,
    wanted: Wanted,
    choosing: bool,
) -> Pupil:
    """A class with its photos read; with `choosing` some of the held-out ones are set apart."""
    known = [digest for one in learned for digest in one.subject.photos]
    photos = photos_of(found, class_name, known, wanted.most)
    photos = photos.set_apart() if choosing else photos
    standard = make_standard(class_name, photos, base.size, wanted.eyes, base)
    return Pupil(class_name, tuple(learned), photos, standard)


def subject_pictures(base: BaseFile, one: Learned, wanted: Wanted, told: Told) -> Pictures:
    """The pictures of a subject, by its file on a fresh base."""
    return drawn_with(base.load(one.path), one, wanted, told)


def drawn_with(adapted: Adapted, one: Learned, wanted: Wanted, told: Told) -> Pictures:
    """The pictures of a subject, by the base as it is with the file of `one`."""
    token = Token(one.subject.token, one.subject.noun)
    return draw_pictures(
        adapted,
        file_digest(one.path),
        adapted.word(token),
        wanted.drawing,
        wanted.folder / DRAWN,
        lambda done, of: told(f"drawing {one.path.stem}: {one.facts.method}", done, of),
    )
