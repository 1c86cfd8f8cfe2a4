"""Evaluation targets: a class with its trained files, its real photos and its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....core.errors import InputError
from ....core.subject_file import Subject, SubjectFile, read_subject_file
from ..adapted_model import AdaptedModel
from ..base_model import BaseModel
from ..open_base import file_digest
from ..token_embeddings import Token
from .eval_config import BaseFile, EvalConfig, ProgressCallback
from .real_photos import LabelledPhoto, RealPhotos, select_photos
from .reference_set import ReferenceSet, build_reference_set
from .subject_pictures import Pictures, draw_pictures

DRAWN = "drawn"  # the folder of cached pictures


@dataclass(frozen=True)
class TrainedSubject:
    """A subject of a trained file."""

    path: Path
    facts: SubjectFile
    subject: Subject


@dataclass(frozen=True)
class EvaluationTarget:
    """A class, the subjects trained on it, its photos, and the reference set for its pictures."""

    class_name: str
    trained: tuple[TrainedSubject, ...]
    photos: RealPhotos
    reference_set: ReferenceSet

    def training(self, trained: TrainedSubject) -> list[np.ndarray]:
        """The file's training photos that are among the real photos."""
        photos = self.reference_set.training
        return [photos[digest] for digest in trained.subject.photos if digest in photos]


def read_trained_subjects(
    files: Sequence[Path], base: BaseModel
) -> dict[str, list[TrainedSubject]]:
    """The subjects of files by class, in the order of the files.

    Raises InputError for a file of another base.
    """
    by_class: dict[str, list[TrainedSubject]] = {}
    for path in files:
        facts = read_subject_file(path)
        if facts.base_digest != base.digest:
            raise InputError(
                f"{path} was trained on {facts.base} ({facts.base_digest[:12]}), but this "
                f"base is {base.name} ({base.digest[:12]}). Pass the right one with --base."
            )
        for subject in facts.subjects:
            by_class.setdefault(subject.class_name, []).append(TrainedSubject(path, facts, subject))
    return by_class


def build_target(
    class_name: str,
    trained: Sequence[TrainedSubject],
    real_photos: Sequence[LabelledPhoto],
    base: BaseModel,
    config: EvalConfig,
    choose: bool,
) -> EvaluationTarget:
    """A class with its photos read; with `choose` some held-out ones are reserved for choosing."""
    trained_on = [digest for trained in trained for digest in trained.subject.photos]
    photos = select_photos(real_photos, class_name, trained_on, config.most)
    photos = photos.set_apart() if choose else photos
    reference_set = build_reference_set(class_name, photos, base.size, config.extractor, base)
    return EvaluationTarget(class_name, tuple(trained), photos, reference_set)


def draw_target(
    base: BaseFile, trained: TrainedSubject, config: EvalConfig, progress: ProgressCallback
) -> Pictures:
    """Draw a subject's pictures with its file on a fresh base."""
    return draw_with(base.load(trained.path), trained, config, progress)


def draw_with(
    model: AdaptedModel, trained: TrainedSubject, config: EvalConfig, progress: ProgressCallback
) -> Pictures:
    """Draw a subject's pictures with the base that already holds its file."""
    token = Token(trained.subject.token, trained.subject.noun)
    return draw_pictures(
        model,
        file_digest(trained.path),
        model.word(token),
        config.drawing,
        config.folder / DRAWN,
        lambda done, of: progress(f"drawing {trained.path.stem}: {trained.facts.method}", done, of),
    )
