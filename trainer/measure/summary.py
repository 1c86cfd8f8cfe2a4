"""The gains of all arms, from finished runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .arms import REAL_ONLY, Arm
from .gain import (
    LEVEL,
    Gain,
    Interval,
    bootstrap_interval,
    estimate_gain,
    estimate_interval,
    is_binary,
    sentence,
)
from .measure_results import Bounds, GainRow, Run, unpack
from .sharing import INDEPENDENT, Sharing

SAME_STEPS = "real only, same steps"
CONTROLS = ("same", "shuffled")


@dataclass(frozen=True)
class Basis:
    """What gains rest on beside the runs. `tested`: number of test images.

    `sharing`: of the draws of an arm, by its shots; draws are independent where none is given.
    `labels` (tested): the class of each test image, where it has one.
    """

    tested: int
    sharing: Mapping[tuple[int, Arm], Sharing] = field(default_factory=dict)
    labels: np.ndarray | None = None


def gain_rows(runs: Sequence[Run], tested: int | Basis) -> list[GainRow]:
    """A row for each number of shots and arm, against real only; `tested`: number of test images.

    What is added under a policy has a second row, against that policy alone, if that is an arm.
    What is trusted only in part has one before, against the same taken as it is.
    Under the thesis protocol a second row is against real only at the arm's own number of steps.
    """
    basis = Basis(tested) if isinstance(tested, int) else tested
    rows: list[GainRow] = []
    for shots in dict.fromkeys(run.config.shots for run in runs):
        of_shots = [run for run in runs if run.config.shots == shots]
        plain = [run for run in of_shots if run.config.matched is None]
        baseline = [run for run in plain if run.config.arm == REAL_ONLY]
        for arm in dict.fromkeys(run.config.arm for run in plain):
            if arm == REAL_ONLY:
                continue
            arm_runs = [run for run in plain if run.config.arm == arm]
            as_it_is = [run for run in plain if run.config.arm == arm.untrusting]
            if as_it_is and arm.trust != "none":
                rows.append(_row(arm_runs, as_it_is, arm.untrusting.name, basis))
            rows.append(_row(arm_runs, baseline, "real only", basis))
            alone = [run for run in plain if run.config.arm == arm.real_only]
            if alone and arm.policy != "none" and arm.add != "nothing":
                rows.append(_row(arm_runs, alone, arm.real_only.name, basis))
            same_steps = [run for run in of_shots if run.config.matched == arm]
            if same_steps:
                rows.append(_row(arm_runs, same_steps, SAME_STEPS, basis))
    return rows


def _row(runs: Sequence[Run], baseline: Sequence[Run], against: str, basis: Basis) -> GainRow:
    runs, baseline = _sort_runs(runs), _sort_runs(baseline)
    shots, arm = runs[0].config.shots, runs[0].config.arm
    sharing = basis.sharing.get((shots, arm), INDEPENDENT)
    arm_scores, baseline_scores = (
        _by_image(part_runs, basis.tested) for part_runs in (runs, baseline)
    )
    arm_gain = _of_control(estimate_gain(arm_scores, baseline_scores, sharing), runs)
    metric, *other_metrics = runs[0].metrics
    shown = arm.name if against == "real only" else f"{arm.name} (against {against})"
    return GainRow(
        shots=shots,
        arm=arm.name,
        against=against,
        metric=metric,
        value=100 * float(arm_scores.mean()),
        baseline=100 * float(baseline_scores.mean()),
        gain=arm_gain.mean,
        low=arm_gain.low,
        high=arm_gain.high,
        relative=arm_gain.relative,
        bootstrap=_bootstrap(arm_scores, baseline_scores),
        verdict=arm_gain.verdict,
        draws=arm_gain.draws,
        seeds=arm_gain.seeds,
        draws_to_tell=arm_gain.draws_to_tell,
        by_class=list(_points(runs) - _points(baseline)),
        sentence=_sentence(shown, arm_gain, runs),
        others={name: _mean(runs, name) - _mean(baseline, name) for name in other_metrics},
        class_bounds=_class_bounds(arm_scores, baseline_scores, sharing, basis.labels),
        value_bounds=_value_bounds(arm_scores, sharing),
        baseline_bounds=_value_bounds(baseline_scores, sharing),
        shared=arm_gain.shared,
        other_photos=arm_gain.other_photos,
    )


def _of_control(gain: Gain, runs: Sequence[Run]) -> Gain:
    """Of a control no more draws are advised; what added nothing has no difference to be told."""
    if gain.verdict != "cannot tell":
        return gain
    if is_unused(runs):
        return replace(gain, verdict="no difference", draws_to_tell=None)
    control = runs[0].config.arm.add in CONTROLS
    return replace(gain, draws_to_tell=None) if control else gain


def is_unused(runs: Sequence[Run]) -> bool:
    """Whether "auto" added nothing in any draw, so that the arm is what it is compared with."""
    return all(run.config.arm.ratio == "auto" and run.added == 0 for run in runs)


def _sentence(name: str, gain: Gain, runs: Sequence[Run]) -> str:
    """The gain in words, with what has to be said of controls and of arms that added nothing."""
    config = runs[0].config
    control = config.arm.add in CONTROLS
    text = sentence(name, gain, config.shots, control)
    if is_unused(runs):
        return f"{text} It added nothing in any draw, so it is real only."
    fails = gain.verdict == "helps" or (gain.verdict == "hurts" and config.arm.add == "same")
    return f"{text} {FAILED}" if control and fails else text


FAILED = (
    "A control should not do this: something is wrong, or it is the 1 in 20 that happens by chance."
)


def _sort_runs(runs: Sequence[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.config.draw, run.config.seed))


def _by_image(runs: Sequence[Run], tested: int) -> np.ndarray:
    """What each test image gave: (draws, seeds, images)."""
    draws = len({run.config.draw for run in runs})
    return np.stack([unpack(run.by_image, tested) for run in runs]).reshape(draws, -1, tested)


def _bootstrap(arm: np.ndarray, base: np.ndarray) -> Bounds:
    """The bootstrap's bounds; nan where draws have no spread, which would have no width."""
    by_run = 100 * (arm.mean(axis=2) - base.mean(axis=2))
    interval = bootstrap_interval(by_run)
    return (interval.low, interval.high) if interval.high > interval.low else (np.nan, np.nan)


def _value_bounds(parts: np.ndarray, sharing: Sharing) -> Bounds:
    """The interval of what an arm itself reaches, in percent."""
    return _ends(estimate_interval(100 * parts, sharing, is_binary(parts)), least=0.0)


def _class_bounds(
    arm: np.ndarray, base: np.ndarray, sharing: Sharing, labels: np.ndarray | None
) -> list[Bounds]:
    """Intervals of the classes' gains, each widened for the number of classes."""
    if labels is None:
        return []
    points, binary = 100 * (arm - base), is_binary(arm) and is_binary(base)
    places = [labels == label for label in range(int(labels.max()) + 1)]
    level = 1 - (1 - LEVEL) / len(places)
    return [
        _ends(estimate_interval(points[..., at], sharing, binary, level))
        if at.any()
        else (np.nan, np.nan)
        for at in places
    ]


def _ends(interval: Interval, least: float = -100.0) -> Bounds:
    return max(interval.low, least), interval.high


def _points(runs: Sequence[Run]) -> np.ndarray:
    return 100 * np.mean([run.by_class for run in runs], axis=0)


def _mean(runs: Sequence[Run], name: str) -> float:
    return 100 * float(np.mean([run.metrics[name] for run in runs]))
