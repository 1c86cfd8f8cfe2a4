"""Trainings that end in numbers which are not finite: failures, never figures."""

import numpy as np

from ...core.counted import pluralize
from ...core.errors import ManyshotError
from .measure_results import Config


def has_diverged(scores: np.ndarray) -> bool:
    """Whether what a run found in its test images holds nan or infinity."""
    return not bool(np.isfinite(scores).all())


def refuse_diverged(scores: np.ndarray, config: Config, rate: float) -> None:
    """Raises ManyshotError, which names the run, when its training has diverged."""
    if has_diverged(scores):
        arm = "" if config.matched is None else f", at the steps of {config.matched.name!r}"
        raise ManyshotError(
            f"The training of the arm {config.arm.name!r}{arm} diverged: "
            f"{pluralize(config.shots, 'shot')}, "
            f"draw {config.draw}, seed {config.seed}, learning rate {rate:g} ended in nan. "
            f"Finished runs are kept. {_advice(config)}"
        )


def refuse_all_diverged(shots: int, draw: int, rates: list[float]) -> None:
    """Raises ManyshotError where no rate could be chosen from."""
    tried = ", ".join(f"{rate:g}" for rate in rates)
    raise ManyshotError(
        "Every training of real only diverged while the learning rate was chosen: "
        f"{pluralize(shots, 'shot')}, "
        f"draw {draw}, learning rates {tried} ended in nan. {ADVICE}"
    )


def refuse_diverged_reader(scores: np.ndarray, seed: tuple[int, ...], rate: float) -> None:
    """The same for the training that judges synthetic pairs; `seed`: of its draw and its own."""
    if has_diverged(scores):
        raise ManyshotError(
            f"The training that judges synthetic pairs ('trust') diverged: draw {seed[0]}, "
            f"learning rate {rate:g} ended in nan. Finished runs are kept. {ADVICE}"
        )


def _advice(config: Config) -> str:
    return ADVICE if config.protocol == "fair" else "The thesis protocol has no other rate."


ADVICE = "Give lower 'rates' under 'model' (or 'segmenter') in the recipe, and measure again."
