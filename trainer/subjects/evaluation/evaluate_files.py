"""Evaluate trained files: draw their pictures and compare them with real photos of each class."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..base_model import BaseModel
from .checkpoint_choice import choose_checkpoints
from .class_sheet import Sheet
from .eval_config import BaseFile, EvalConfig, ProgressCallback
from .evaluation_results import Choice, Evaluation, Row, SubjectFigures
from .evaluation_targets import (
    DRAWN,
    EvaluationTarget,
    TrainedSubject,
    build_target,
    draw_target,
    read_trained_subjects,
)
from .real_photos import find_photos
from .reference_set import ReferenceSet
from .scoring import (
    Baseline,
    ImageScores,
    build_references,
    extract_context_features,
    score_pictures,
)
from .subject_pictures import Pictures, draw_pictures, wrap_base


def evaluate_files(
    files: Sequence[Path],
    sources: Sequence[Path],
    base: BaseFile,
    config: EvalConfig,
    choose: bool = False,
    progress: ProgressCallback = lambda what, done, of: None,
) -> tuple[Evaluation, list[Sheet]]:
    """Score every subject of the files against the real photos in `sources`.

    With `choose` each file is first replaced with its best checkpoint. Raises InputError for files
    of another base, and for classes without held-out photos.
    """
    progress("reading photos", 0, 1)
    photos, loaded = find_photos(sources), base.fresh()
    trained = read_trained_subjects(files, loaded)
    targets = [
        build_target(name, subjects, photos, loaded, config, choose)
        for name, subjects in trained.items()
    ]
    choices = choose_checkpoints(targets, base, config, progress) if choose else {}
    trained = read_trained_subjects(files, loaded)  # the files may have changed
    targets = [replace(target, trained=tuple(trained[target.class_name])) for target in targets]
    evaluated = [_figures(target, base, loaded, config, progress, choices) for target in targets]
    evaluation = Evaluation(
        extractors=config.extractor.notes,
        drawing=vars(config.drawing),
        subjects=[figures for figures, _ in evaluated],
    )
    return evaluation, [sheet for _, sheet in evaluated]


def _figures(
    target: EvaluationTarget,
    base: BaseFile,
    loaded: BaseModel,
    config: EvalConfig,
    progress: ProgressCallback,
    choices: dict[Path, Choice],
) -> tuple[SubjectFigures, Sheet]:
    """All rows of a class: prompts on the plain base first, then the files."""
    first = target.trained[0].subject
    baseline, rows, sheet = _baseline(target, loaded, config, progress)
    for trained in target.trained:
        pictures = draw_target(base, trained, config, progress)
        noun, training = trained.subject.noun, target.training(trained)
        scores = _score(pictures, noun, target.reference_set, config, baseline, training)
        rows.append(_row(trained, len(pictures.plain), scores))
        sheet.add(rows[-1].method, pictures.plain, scores.memorisation, training)
    figures = SubjectFigures(
        class_name=target.class_name,
        noun=first.noun,
        training=len(target.reference_set.training),
        held_out=len(target.reference_set.held_out),
        reference=build_references(target.reference_set, baseline),
        rows=rows,
        choices=[choices[trained.path] for trained in target.trained if trained.path in choices],
        notes=_notes(target),
    )
    return figures, sheet


def _baseline(
    target: EvaluationTarget, loaded: BaseModel, config: EvalConfig, progress: ProgressCallback
) -> tuple[Baseline, list[Row], Sheet]:
    """Score the plain base on the class's name and on its noun; only the noun gets contexts."""
    subject, extractor = target.trained[0].subject, config.extractor
    without_contexts = replace(config.drawing, contexts=())
    named = target.class_name.replace("_", " ")
    words = {subject.noun: ("noun prompt", config.drawing)}
    if target.class_name != subject.token and named != subject.noun:
        words = {named: ("class-name prompt", without_contexts), **words}
    pictures_by_word = {
        word: draw_pictures(
            wrap_base(loaded),
            loaded.digest,
            word,
            drawing,
            config.folder / DRAWN,
            lambda done, of, word=word: progress(f"drawing {word}", done, of),
        )
        for word, (_, drawing) in words.items()
    }
    contexts = extract_context_features(extractor, pictures_by_word[subject.noun]) or None
    baseline = Baseline(
        extractor.extract(list(next(iter(pictures_by_word.values())).plain)), contexts
    )
    rows, sheet = [], Sheet(target.class_name, target.reference_set)
    photos = list(target.reference_set.training.values())
    for number, (word, pictures) in enumerate(pictures_by_word.items()):
        against = replace(baseline, plain=baseline.plain if number else None)
        scores = _score(
            Pictures(pictures.plain), word, target.reference_set, config, against, photos
        )
        method = words[word][0]
        rows.append(Row(method=method, word=word, pictures=len(pictures.plain), **scores.figures))
        sheet.add(method, pictures.plain, scores.memorisation, photos)
    return baseline, rows, sheet


def _score(
    pictures: Pictures,
    noun: str,
    reference_set: ReferenceSet,
    config: EvalConfig,
    baseline: Baseline,
    training: Sequence[np.ndarray],
) -> ImageScores:
    prompts = config.drawing.prompts(noun)
    return score_pictures(
        pictures, prompts, reference_set, config.extractor, baseline, training, config.text_check
    )


def _row(trained: TrainedSubject, count: int, scores: ImageScores) -> Row:
    return Row.model_validate(
        {
            "method": trained.facts.method,
            "word": trained.subject.word,
            "pictures": count,
            **scores.figures,
            "file": trained.path.name,
            "step": trained.facts.step,
            "steps": trained.facts.steps,
            "seconds": trained.facts.seconds or None,
            "size": trained.path.stat().st_size,
            "together": len(trained.facts.subjects),
        }
    )


def _notes(target: EvaluationTarget) -> list[str]:
    missing = {
        trained.path.name: len(trained.subject.photos) - len(target.training(trained))
        for trained in target.trained
    }
    notes = [
        f"{count} of the photos that {name} was trained on are not among the real photos, so "
        "copies of them are not detected."
        for name, count in missing.items()
        if count
    ]
    if target.photos.choosing and target.photos.choosing == target.photos.held_out:
        notes.append(
            "The step was chosen on the same held-out photos that the figures use, because there "
            "are fewer than four: the figures are optimistic."
        )
    return notes
