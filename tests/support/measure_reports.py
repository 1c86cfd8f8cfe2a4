"""Results with known gains in place of measured ones: what a report needs, in milliseconds."""

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from manyshot.trainer.measure.arms import REAL_ONLY, Arm
from manyshot.trainer.measure.measure_results import (
    Base64,
    Config,
    GainRow,
    Results,
    Run,
    Sample,
    SampleKind,
    Split,
    pack,
)
from manyshot.trainer.measure.summary import gain_rows
from PIL import Image

KINDS: tuple[SampleKind, ...] = ("real", "synthetic")
SYNTHETIC, AUTO = Arm(add="synthetic"), Arm(add="synthetic", ratio="auto")
MUCH, REAL = Arm(add="synthetic", ratio=400), Arm(add="real")
UP, DOWN, FLAT = (4.5, 2.9, 6.1), (-1.4, -2.4, -0.4), (0.5, -0.2, 1.2)


def made_results(
    gains: Sequence[tuple[Arm, float]] = ((Arm(add="synthetic"), 0.1),),
    shots: Sequence[int] = (5,),
    classes: Sequence[str] = ("cat", "dog", "owl"),
    draws: int = 4,
    tested: int = 120,
    finished: bool = True,
    **changes: object,
) -> Results:
    """A measurement in which arms gain these shares of accuracy, less the more shots there are.

    Each arm's gain is halved by every further number of shots.
    """
    rng = np.random.default_rng(0)
    runs = [
        _run(rng, arm, count, draw, 0.5 + gain / 2**place, classes, tested)
        for place, count in enumerate(shots)
        for draw in range(draws)
        for arm, gain in ((REAL_ONLY, 0.0), *gains)
    ]
    values: dict[str, object] = {
        "recipe": {"data": {"kind": "folder", "path": "photos"}, "shots": list(shots)},
        "versions": {"python": "3.11.0", "manyshot": "0.1.0"},
        "classes": list(classes),
        "learner": "linear head",
        "backbone": "opennsfw-0",
        "split": Split(
            description="Folders.",
            real=["r"] * 50,
            synthetic=["s"] * 20,
            test=[f"t{n}" for n in range(tested)],
        ),
        "notes": ["Intervals are of 95 % each."],
        "runs": runs,
        "gains": gain_rows(runs, tested) if finished and draws > 1 else [],
        "samples": [_sample(name, kind) for name in classes[:4] for kind in KINDS],
    }
    return Results.model_validate({**values, **changes})


def row(arm: Arm, shots: int, gain: float, low: float, high: float, **changes: Any) -> GainRow:
    """A row of gains as given, in points."""
    verdict = "helps" if low > 0 else "hurts" if high < 0 else "cannot tell"
    values: dict[str, Any] = {
        "shots": shots, "arm": arm.name, "against": "real only", "metric": "accuracy",
        "value": 50 + gain, "baseline": 50, "gain": gain, "low": low, "high": high,
        "relative": 2 * gain, "bootstrap": (low, high), "verdict": verdict, "draws": 10,
        "seeds": 2, "draws_to_tell": None, "others": {}, "by_class": [gain] * 3, "sentence": "",
    }  # fmt: skip
    return GainRow(**{**values, **changes})


def with_rows(*rows: GainRow) -> Results:
    """A measurement of many arms with these rows of gains."""
    arms = (SYNTHETIC, AUTO, MUCH, Arm(add="real"), Arm(add="same"), Arm(add="shuffled"))
    return made_results([(arm, 0.0) for arm in arms]).model_copy(update={"gains": list(rows)})


def _run(
    rng: np.random.Generator,
    arm: Arm,
    shots: int,
    draw: int,
    share: float,
    classes: Sequence[str],
    tested: int,
) -> Run:
    hard = np.random.default_rng(draw).random(tested)  # the same images for every arm of a draw
    right = hard + rng.normal(0, 0.02, tested) < share
    config = Config(
        material="m", learner="linear head", protocol="fair", arm=arm, shots=shots, draw=draw,
        seed=0, steps=500, batch=64,
    )  # fmt: skip
    return Run(
        key=config.key,
        config=config,
        chosen=REAL_ONLY if arm.ratio == "auto" else arm,
        why="",
        real=shots * len(classes),
        added=0,
        steps=500,
        rate=0.3,
        decay=1e-4,
        metrics={"accuracy": float(right.mean()), "calibration error": 0.1},
        by_class=list(np.clip(share + rng.normal(0, 0.1, len(classes)), 0, 1)),
        by_image=pack(right),
        seconds=0.1,
    )


def _sample(name: str, kind: SampleKind) -> Sample:
    return Sample(class_name=name, kind=kind, name=f"{name}/{kind}.jpg", jpeg=_jpeg(name))


def _jpeg(name: str) -> Base64:
    colour = tuple(sum(map(ord, name)) * n % 256 for n in (3, 5, 7))
    file = BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()
