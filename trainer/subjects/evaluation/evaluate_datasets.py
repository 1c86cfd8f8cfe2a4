"""Evaluate dataset folders: pictures from any server, compared with real photos."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...measure.pixels.pixel_cache import resize_square
from .class_sheet import Sheet
from .dataset_pictures import DatasetPictures, read_pictures
from .eval_config import EvalConfig, ProgressCallback
from .evaluation_results import Evaluation, Row, SubjectFigures
from .real_photos import LabelledPhoto, find_photos, select_photos
from .reference_set import build_reference_set
from .scoring import Baseline, ImageScores, build_references, score_pictures
from .subject_pictures import Pictures


def evaluate_datasets(
    folders: Sequence[Path],
    sources: Sequence[Path],
    config: EvalConfig,
    progress: ProgressCallback = lambda what, done, of: None,
) -> tuple[Evaluation, list[Sheet]]:
    """Score the pictures of each class. A folder's manifest names its subjects; the first folder
    without any is the class-name baseline that the others are compared with.

    Raises InputError for folders without pictures, and for classes without held-out photos.
    """
    progress("reading photos", 0, 1)
    photos = find_photos(sources)
    datasets = [read_pictures(folder, config.drawing.count) for folder in folders]
    size = min(dataset.size for dataset in datasets)
    names = list(dict.fromkeys(name for dataset in datasets for name in dataset.images))
    evaluated = []
    for number, name in enumerate(names):
        progress(f"scoring {name}", number, len(names))
        with_class = [dataset for dataset in datasets if name in dataset.images]
        evaluated.append(_figures(name, with_class, photos, size, config))
    evaluation = Evaluation(
        extractors=config.extractor.notes,
        drawing={},
        subjects=[figures for figures, _ in evaluated],
    )
    return evaluation, [sheet for _, sheet in evaluated]


def _figures(
    name: str,
    datasets: Sequence[DatasetPictures],
    real_photos: Sequence[LabelledPhoto],
    size: int,
    config: EvalConfig,
) -> tuple[SubjectFigures, Sheet]:
    subjects = {
        dataset.folder: dataset.trained[name][1] for dataset in datasets if name in dataset.trained
    }
    trained_on = [sha for dataset in subjects.values() for sha in dataset.photos]
    photos = select_photos(real_photos, name, trained_on, config.most)
    reference_set = build_reference_set(name, photos, size, config.extractor)
    images = {
        dataset.folder: np.stack([resize_square(image, size) for image in dataset.images[name]])
        for dataset in datasets
    }
    plain = next((dataset.folder for dataset in datasets if dataset.folder not in subjects), None)
    plain_features = config.extractor.extract(list(images[plain])) if plain else None
    rows, sheet = [], Sheet(name, reference_set)
    for dataset in datasets:
        digests = subjects[dataset.folder].photos if dataset.folder in subjects else trained_on
        training = [reference_set.training[sha] for sha in digests if sha in reference_set.training]
        baseline = Baseline(None if dataset.folder == plain else plain_features)
        scores = score_pictures(
            Pictures(images[dataset.folder]),
            (),
            reference_set,
            config.extractor,
            baseline,
            training,
            config.text_check,
        )
        rows.append(_row(dataset, name, len(images[dataset.folder]), scores))
        sheet.add(dataset.folder.name, images[dataset.folder], scores.memorisation, training)
    nouns = [subject.noun for subject in subjects.values()]
    figures = SubjectFigures(
        class_name=name,
        noun=nouns[0] if nouns else name,
        training=len(reference_set.training),
        held_out=len(reference_set.held_out),
        reference=build_references(reference_set, Baseline()),
        rows=rows,
    )
    return figures, sheet


def _row(dataset: DatasetPictures, name: str, count: int, scores: ImageScores) -> Row:
    values = {"word": name, "pictures": count, **scores.figures}
    if name not in dataset.trained:
        return Row(method=dataset.folder.name, **values)
    facts, subject = dataset.trained[name]
    return Row(
        **{**values, "word": subject.word},
        method=f"{facts.method} ({dataset.folder.name})",
        step=facts.step,
        steps=facts.steps,
        seconds=facts.seconds or None,
        together=len(facts.subjects),
    )
