"""Evaluating trained files: their pictures, drawn here, held against real photos of each class."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..base_model import BaseModel
from .judge import Baseline, Judged, judge, reference, see_contexts
from .looks import choose_steps
from .pictures import Pictures, draw_pictures, plain
from .pupils import DRAWN, Learned, Pupil, make_pupil, read_learned, subject_pictures
from .real import find_photos
from .results import Choice, Evaluation, Row, SubjectFigures
from .sheet import Sheet
from .standard import Standard
from .wanted import BaseFile, Told, Wanted


def evaluate_files(
    files: Sequence[Path],
    sources: Sequence[Path],
    base: BaseFile,
    wanted: Wanted,
    choosing: bool = False,
    told: Told = lambda what, done, of: None,
) -> tuple[Evaluation, list[Sheet]]:
    """Judge every subject of the files by the real photos in `sources`.

    With `choosing` the most like of each file's looks is put in its place first. Raises InputError
    for files of another base, and for classes without held-out photos.
    """
    told("reading photos", 0, 1)
    found, opened = find_photos(sources), base.fresh()
    learned = read_learned(files, opened)
    pupils = [
        make_pupil(name, own, found, opened, wanted, choosing) for name, own in learned.items()
    ]
    choices = choose_steps(pupils, base, wanted, told) if choosing else {}
    learned = read_learned(files, opened)  # the files may have changed
    pupils = [replace(one, learned=tuple(learned[one.class_name])) for one in pupils]
    judged = [_figures(pupil, base, opened, wanted, told, choices) for pupil in pupils]
    whole = Evaluation(
        extractors={one.id: one.note for one in wanted.eyes.extractors},
        drawing=vars(wanted.drawing),
        subjects=[figures for figures, _ in judged],
    )
    return whole, [sheet for _, sheet in judged]


def _figures(
    pupil: Pupil,
    base: BaseFile,
    opened: BaseModel,
    wanted: Wanted,
    told: Told,
    choices: dict[Path, Choice],
) -> tuple[SubjectFigures, Sheet]:
    """All rows of a class: prompts of the plain base first, then the files."""
    first = pupil.learned[0].subject
    baseline, rows, sheet = _baseline(pupil, opened, wanted, told)
    for one in pupil.learned:
        pictures = subject_pictures(base, one, wanted, told)
        noun, training = one.subject.noun, pupil.training(one)
        judged = _judged(pictures, noun, pupil.standard, wanted, baseline, training)
        rows.append(_row(one, len(pictures.plain), judged))
        sheet.add(rows[-1].method, pictures.plain, judged.memory, training)
    figures = SubjectFigures(
        class_name=pupil.class_name,
        noun=first.noun,
        training=len(pupil.standard.training),
        held_out=len(pupil.standard.held_out),
        reference=reference(pupil.standard, baseline),
        rows=rows,
        choices=[choices[one.path] for one in pupil.learned if one.path in choices],
        notes=_notes(pupil),
    )
    return figures, sheet


def _baseline(
    pupil: Pupil, opened: BaseModel, wanted: Wanted, told: Told
) -> tuple[Baseline, list[Row], Sheet]:
    """What the plain base draws of the class's name and of its noun, which alone has contexts."""
    subject, eyes = pupil.learned[0].subject, wanted.eyes
    bare = replace(wanted.drawing, contexts=())
    named = pupil.class_name.replace("_", " ")
    words = {subject.noun: ("noun prompt", wanted.drawing)}
    if pupil.class_name != subject.token and named != subject.noun:
        words = {named: ("class-name prompt", bare), **words}
    drawn = {
        word: draw_pictures(
            plain(opened),
            opened.digest,
            word,
            how,
            wanted.folder / DRAWN,
            lambda done, of, word=word: told(f"drawing {word}", done, of),
        )
        for word, (_, how) in words.items()
    }
    contexts = see_contexts(eyes, drawn[subject.noun]) or None
    baseline = Baseline(eyes.see(list(next(iter(drawn.values())).plain)), contexts)
    rows, sheet = [], Sheet(pupil.class_name, pupil.standard)
    photos = list(pupil.standard.training.values())
    for number, (word, pictures) in enumerate(drawn.items()):
        against = replace(baseline, plain=baseline.plain if number else None)
        judged = _judged(Pictures(pictures.plain), word, pupil.standard, wanted, against, photos)
        method = words[word][0]
        rows.append(Row(method=method, word=word, pictures=len(pictures.plain), **judged.figures))
        sheet.add(method, pictures.plain, judged.memory, photos)
    return baseline, rows, sheet


def _judged(
    pictures: Pictures,
    noun: str,
    standard: Standard,
    wanted: Wanted,
    baseline: Baseline,
    training: Sequence[np.ndarray],
) -> Judged:
    prompts = wanted.drawing.prompts(noun)
    return judge(pictures, prompts, standard, wanted.eyes, baseline, training, wanted.spelling)


def _row(one: Learned, count: int, judged: Judged) -> Row:
    return Row.model_validate(
        {
            "method": one.facts.method,
            "word": one.subject.word,
            "pictures": count,
            **judged.figures,
            "file": one.path.name,
            "step": one.facts.step,
            "steps": one.facts.steps,
            "seconds": one.facts.seconds or None,
            "size": one.path.stat().st_size,
            "together": len(one.facts.subjects),
        }
    )


def _notes(pupil: Pupil) -> list[str]:
    missing = {
        one.path.name: len(one.subject.photos) - len(pupil.training(one)) for one in pupil.learned
    }
    found = [
        f"{count} of the photos that {name} was trained on are not among the real photos, and are "
        "not searched for copies."
        for name, count in missing.items()
        if count
    ]
    if pupil.photos.choosing and pupil.photos.choosing == pupil.photos.held_out:
        found.append(
            "The step was chosen by the same held-out photos that the figures are of, since there "
            "are fewer than four: they flatter it."
        )
    return found
