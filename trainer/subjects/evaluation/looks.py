"""The looks of trainings compared: each file gets the weights of its best."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....core.errors import InputError
from ....core.subject_file import read_subject_file
from .choose import Scored, choose, looks_of, put_in_place, why
from .likeness import pairwise
from .memory import memory
from .pupils import Learned, Pupil, drawn_with
from .results import Choice
from .standard import see_photos
from .wanted import BaseFile, Told, Wanted


def choose_steps(
    pupils: Sequence[Pupil], base: BaseFile, wanted: Wanted, told: Told
) -> dict[Path, Choice]:
    """For each file the step that was put in its place. Raises InputError without looks."""
    by_file: dict[Path, list[tuple[Pupil, Learned]]] = {}
    for pupil in pupils:
        for one in pupil.learned:
            by_file.setdefault(one.path, []).append((pupil, one))
    found = {}
    for path, own in by_file.items():
        scored = [
            _scored(look, step, own, base, wanted, told) for step, look in looks_of(path).items()
        ]
        if not scored:
            raise InputError(
                f"{path} has no looks to choose from: train it with 'keep_looks: true', or leave "
                "--choose out."
            )
        best = choose(scored, wanted.limit)
        put_in_place(best.path, path)
        found[path] = Choice(
            file=path.name,
            step=best.step,
            looks=[(one.step, one.similarity, one.excess) for one in scored],
            sentence=why(best, scored, wanted.limit),
        )
    return found


def _scored(
    look: Path,
    step: int,
    own: Sequence[tuple[Pupil, Learned]],
    base: BaseFile,
    wanted: Wanted,
    told: Told,
) -> Scored:
    """The look's score: means over the subjects of the file."""
    facts, adapted = read_subject_file(look), base.load(look)
    bare = replace(wanted, drawing=replace(wanted.drawing, contexts=()))
    near, excess = [], []
    for pupil, one in own:
        pictures = drawn_with(adapted, replace(one, path=look, facts=facts), bare, told).plain
        name = wanted.eyes.extractors[0].id
        photos = see_photos(wanted.eyes, pupil.photos.choosing, adapted.base.size)[name]
        near.append(pairwise(wanted.eyes.see(list(pictures))[name], photos))
        training = pupil.training(one)
        if training:
            excess.append(memory(list(pictures), training, pupil.standard.held_out).excess)
    return Scored(look, step, float(np.mean(near)), float(np.mean(excess)) if excess else 0.0)
