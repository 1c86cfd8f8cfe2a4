"""Evaluating dataset folders: pictures that any server drew, held against real photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...measure.pixels.store import sized
from .drawn_elsewhere import DatasetPictures, read_pictures
from .judge import Baseline, Judged, judge, reference
from .pictures import Pictures
from .real import Found, find_photos, photos_of
from .results import Evaluation, Row, SubjectFigures
from .sheet import Sheet
from .standard import make_standard
from .wanted import Told, Wanted


def evaluate_datasets(
    folders: Sequence[Path],
    sources: Sequence[Path],
    wanted: Wanted,
    told: Told = lambda what, done, of: None,
) -> tuple[Evaluation, list[Sheet]]:
    """Judge the pictures of each class. Folders whose manifest names subjects tell of them; the
    first one without is the class-name prompt that the others are compared with.

    Raises InputError for folders without pictures, and for classes without held-out photos.
    """
    told("reading photos", 0, 1)
    found = find_photos(sources)
    read = [read_pictures(folder, wanted.drawing.count) for folder in folders]
    size = min(one.size for one in read)
    names = list(dict.fromkeys(name for one in read for name in one.images))
    judged = []
    for number, name in enumerate(names):
        told(f"judging {name}", number, len(names))
        own = [one for one in read if name in one.images]
        judged.append(_figures(name, own, found, size, wanted))
    whole = Evaluation(
        extractors={one.id: one.note for one in wanted.eyes.extractors},
        drawing={},
        subjects=[figures for figures, _ in judged],
    )
    return whole, [sheet for _, sheet in judged]


def _figures(
    name: str,
    read: Sequence[DatasetPictures],
    found: Sequence[Found],
    size: int,
    wanted: Wanted,
) -> tuple[SubjectFigures, Sheet]:
    subjects = {one.folder: one.learned[name][1] for one in read if name in one.learned}
    known = [digest for one in subjects.values() for digest in one.photos]
    photos = photos_of(found, name, known, wanted.most)
    standard = make_standard(name, photos, size, wanted.eyes)
    images = {
        one.folder: np.stack([sized(image, size) for image in one.images[name]]) for one in read
    }
    plain = next((one.folder for one in read if one.folder not in subjects), None)
    rows = wanted.eyes.see(list(images[plain])) if plain else None
    figures, sheet = [], Sheet(name, standard)
    for one in read:
        wants = subjects[one.folder].photos if one.folder in subjects else known
        training = [standard.training[digest] for digest in wants if digest in standard.training]
        baseline = Baseline(None if one.folder == plain else rows)
        judged = judge(
            Pictures(images[one.folder]),
            (),
            standard,
            wanted.eyes,
            baseline,
            training,
            wanted.spelling,
        )
        figures.append(_row(one, name, len(images[one.folder]), judged))
        sheet.add(one.folder.name, images[one.folder], judged.memory, training)
    nouns = [subject.noun for subject in subjects.values()]
    whole = SubjectFigures(
        class_name=name,
        noun=nouns[0] if nouns else name,
        training=len(standard.training),
        held_out=len(standard.held_out),
        reference=reference(standard, Baseline()),
        rows=figures,
    )
    return whole, sheet


def _row(one: DatasetPictures, name: str, count: int, judged: Judged) -> Row:
    values = {"word": name, "pictures": count, **judged.figures}
    if name not in one.learned:
        return Row(method=one.folder.name, **values)
    facts, subject = one.learned[name]
    return Row(
        **{**values, "word": subject.word},
        method=f"{facts.method} ({one.folder.name})",
        step=facts.step,
        steps=facts.steps,
        seconds=facts.seconds or None,
        together=len(facts.subjects),
    )
