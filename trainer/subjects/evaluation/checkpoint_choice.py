"""Choose a checkpoint: the one most similar to the subject that does not copy training photos."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ....core.counted import in_percent, pluralize
from ....core.errors import InputError
from ....core.files import open_atomic
from ....core.subject_file import read_subject_file
from .eval_config import BaseFile, EvalConfig, ProgressCallback
from .evaluation_results import Choice
from .evaluation_targets import EvaluationTarget, TrainedSubject, draw_with
from .memorisation import measure_memorisation
from .reference_set import extract_photo_features
from .subject_fidelity import pairwise


@dataclass(frozen=True)
class ScoredCheckpoint:
    """A checkpoint's file and step, its pictures' similarity, and the excess share memorised."""

    path: Path
    step: int
    similarity: float
    excess: float


def list_checkpoints(path: Path) -> dict[int, Path]:
    """Step -> checkpoint of a training run, in order of steps; {} when none were kept."""
    folder = path.parent / "looks"
    pattern = re.compile(re.escape(path.stem) + r"-(\d{6,})\.safetensors")
    entries = folder.iterdir() if folder.is_dir() else ()
    checkpoints = {
        int(match[1]): entry for entry in entries if (match := pattern.fullmatch(entry.name))
    }
    return dict(sorted(checkpoints.items()))


def choose_checkpoint(scored: Sequence[ScoredCheckpoint], limit: float) -> ScoredCheckpoint:
    """The most similar checkpoint whose excess is at most `limit`; the earliest on ties.

    If all exceed the limit, the one with the lowest excess.
    """
    acceptable = [candidate for candidate in scored if candidate.excess <= limit]
    if acceptable:
        return max(acceptable, key=lambda candidate: (candidate.similarity, -candidate.step))
    return min(scored, key=lambda candidate: (candidate.excess, candidate.step))


def explain_choice(
    chosen: ScoredCheckpoint, scored: Sequence[ScoredCheckpoint], limit: float
) -> str:
    """The choice and its reason as a sentence."""
    if chosen.excess > limit:
        return (
            f"At every step more than {in_percent(limit)} of the pictures repeat a training photo, "
            f"beyond what real photos do; step {chosen.step} repeats least "
            f"({in_percent(chosen.excess)})."
        )
    over = sum(checkpoint.excess > limit for checkpoint in scored)
    excluded = f", {over} of them excluded for repeating training photos" if over else ""
    return (
        f"Step {chosen.step} is the most similar ({chosen.similarity:.3f}) of "
        f"{pluralize(len(scored), 'checkpoint')}{excluded}."
    )


def install_checkpoint(chosen: Path, path: Path) -> None:
    """Overwrite the subject's file with the chosen checkpoint."""
    with chosen.open("rb") as source, open_atomic(path) as target:
        shutil.copyfileobj(source, target)


def choose_checkpoints(
    targets: Sequence[EvaluationTarget],
    base: BaseFile,
    config: EvalConfig,
    progress: ProgressCallback,
) -> dict[Path, Choice]:
    """Put the best checkpoint in the place of each file, and return the choices by file.

    Raises InputError for a file without checkpoints.
    """
    by_file: dict[Path, list[tuple[EvaluationTarget, TrainedSubject]]] = {}
    for target in targets:
        for subject in target.trained:
            by_file.setdefault(subject.path, []).append((target, subject))
    choices = {}
    for path, trained in by_file.items():
        candidates = [
            _score_checkpoint(checkpoint, step, trained, base, config, progress)
            for step, checkpoint in list_checkpoints(path).items()
        ]
        if not candidates:
            raise InputError(
                f"{path} has no saved checkpoints to choose from: train it with 'keep_looks: "
                "true', or omit --choose."
            )
        best = choose_checkpoint(candidates, config.limit)
        install_checkpoint(best.path, path)
        choices[path] = Choice(
            file=path.name,
            step=best.step,
            looks=[(subject.step, subject.similarity, subject.excess) for subject in candidates],
            sentence=explain_choice(best, candidates, config.limit),
        )
    return choices


def _score_checkpoint(
    checkpoint: Path,
    step: int,
    trained: Sequence[tuple[EvaluationTarget, TrainedSubject]],
    base: BaseFile,
    config: EvalConfig,
    progress: ProgressCallback,
) -> ScoredCheckpoint:
    """The checkpoint's score: means over the subjects of the file."""
    facts, model = read_subject_file(checkpoint), base.load(checkpoint)
    without_contexts = replace(config, drawing=replace(config.drawing, contexts=()))
    similarities, excesses = [], []
    for target, subject in trained:
        pictures = draw_with(
            model, replace(subject, path=checkpoint, facts=facts), without_contexts, progress
        ).plain
        name = config.extractor.extractors[0].id
        photos = extract_photo_features(config.extractor, target.photos.choosing, model.base.size)[
            name
        ]
        similarities.append(pairwise(config.extractor.extract(list(pictures))[name], photos))
        training = target.training(subject)
        if training:
            excesses.append(
                measure_memorisation(list(pictures), training, target.reference_set.held_out).excess
            )
    return ScoredCheckpoint(
        checkpoint,
        step,
        float(np.mean(similarities)),
        float(np.mean(excesses)) if excesses else 0.0,
    )
