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
    difference_interval,
    gain,
    is_binary,
    sentence,
)
from .results import Bounds, GainRow, Run, unpack
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
            own = [run for run in plain if run.config.arm == arm]
            as_it_is = [run for run in plain if run.config.arm == arm.untrusting]
            if as_it_is and arm.trust != "none":
                rows.append(_row(own, as_it_is, arm.untrusting.name, basis))
            rows.append(_row(own, baseline, "real only", basis))
            alone = [run for run in plain if run.config.arm == arm.real_only]
            if alone and arm.policy != "none" and arm.add != "nothing":
                rows.append(_row(own, alone, arm.real_only.name, basis))
            same_steps = [run for run in of_shots if run.config.matched == arm]
            if same_steps:
                rows.append(_row(own, same_steps, SAME_STEPS, basis))
    return rows


def _row(runs: Sequence[Run], baseline: Sequence[Run], against: str, basis: Basis) -> GainRow:
    runs, baseline = _sorted(runs), _sorted(baseline)
    shots, arm = runs[0].config.shots, runs[0].config.arm
    sharing = basis.sharing.get((shots, arm), INDEPENDENT)
    own, base = (_by_image(part, basis.tested) for part in (runs, baseline))
    found = _of_control(gain(own, base, sharing), runs)
    metric, *others = runs[0].metrics
    shown = arm.name if against == "real only" else f"{arm.name} (against {against})"
    return GainRow(
        shots=shots,
        arm=arm.name,
        against=against,
        metric=metric,
        value=100 * float(own.mean()),
        baseline=100 * float(base.mean()),
        gain=found.mean,
        low=found.low,
        high=found.high,
        relative=found.relative,
        bootstrap=_bootstrap(own, base),
        verdict=found.verdict,
        draws=found.draws,
        seeds=found.seeds,
        draws_to_tell=found.draws_to_tell,
        by_class=list(_points(runs) - _points(baseline)),
        sentence=_sentence(shown, found, runs),
        others={name: _mean(runs, name) - _mean(baseline, name) for name in others},
        class_bounds=_class_bounds(own, base, sharing, basis.labels),
        value_bounds=_reached(own, sharing),
        baseline_bounds=_reached(base, sharing),
        shared=found.shared,
        other_photos=found.other_photos,
    )


def _of_control(found: Gain, runs: Sequence[Run]) -> Gain:
    """Of a control no more draws are advised; what added nothing has no difference to be told."""
    if found.verdict != "cannot tell":
        return found
    if is_unused(runs):
        return replace(found, verdict="no difference", draws_to_tell=None)
    control = runs[0].config.arm.add in CONTROLS
    return replace(found, draws_to_tell=None) if control else found


def is_unused(runs: Sequence[Run]) -> bool:
    """Whether "auto" added nothing in any draw, so that the arm is what it is compared with."""
    return all(run.config.arm.ratio == "auto" and run.added == 0 for run in runs)


def _sentence(name: str, found: Gain, runs: Sequence[Run]) -> str:
    """The gain in words, with what has to be said of controls and of arms that added nothing."""
    config = runs[0].config
    control = config.arm.add in CONTROLS
    said = sentence(name, found, config.shots, control)
    if is_unused(runs):
        return f"{said} It added nothing in any draw, so it is real only."
    fails = found.verdict == "helps" or (found.verdict == "hurts" and config.arm.add == "same")
    return f"{said} {FAILED}" if control and fails else said


FAILED = (
    "A control should not do this: something is wrong, or it is the 1 in 20 that happens by chance."
)


def _sorted(runs: Sequence[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.config.draw, run.config.seed))


def _by_image(runs: Sequence[Run], tested: int) -> np.ndarray:
    """What each test image gave: (draws, seeds, images)."""
    draws = len({run.config.draw for run in runs})
    return np.stack([unpack(run.by_image, tested) for run in runs]).reshape(draws, -1, tested)


def _bootstrap(own: np.ndarray, base: np.ndarray) -> Bounds:
    """The bootstrap's bounds; nan where draws have no spread, which would have no width."""
    by_run = 100 * (own.mean(axis=2) - base.mean(axis=2))
    found = bootstrap_interval(by_run)
    return (found.low, found.high) if found.high > found.low else (np.nan, np.nan)


def _reached(parts: np.ndarray, sharing: Sharing) -> Bounds:
    """The interval of what an arm itself reaches, in percent."""
    return _ends(difference_interval(100 * parts, sharing, is_binary(parts)), least=0.0)


def _class_bounds(
    own: np.ndarray, base: np.ndarray, sharing: Sharing, labels: np.ndarray | None
) -> list[Bounds]:
    """Intervals of the classes' gains, each widened for the number of classes."""
    if labels is None:
        return []
    points, binary = 100 * (own - base), is_binary(own) and is_binary(base)
    places = [labels == label for label in range(int(labels.max()) + 1)]
    level = 1 - (1 - LEVEL) / len(places)
    return [
        _ends(difference_interval(points[..., at], sharing, binary, level))
        if at.any()
        else (np.nan, np.nan)
        for at in places
    ]


def _ends(found: Interval, least: float = -100.0) -> Bounds:
    return max(found.low, least), found.high


def _points(runs: Sequence[Run]) -> np.ndarray:
    return 100 * np.mean([run.by_class for run in runs], axis=0)


def _mean(runs: Sequence[Run], name: str) -> float:
    return 100 * float(np.mean([run.metrics[name] for run in runs]))
