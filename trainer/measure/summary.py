"""The gains of all arms, from finished runs."""

from collections.abc import Sequence

import numpy as np

from .arms import REAL_ONLY
from .gain import bootstrap_interval, gain, sentence
from .results import GainRow, Run, unpack

SAME_STEPS = "real only, same steps"


def gain_rows(runs: Sequence[Run], tested: int) -> list[GainRow]:
    """A row for each number of shots and arm, against real only; `tested`: number of test images.

    What is added under a policy has a second row, against that policy alone, if that is an arm.
    What is trusted only in part has one before, against the same taken as it is.
    Under the thesis protocol a second row is against real only at the arm's own number of steps.
    """
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
                rows.append(_row(own, as_it_is, arm.untrusting.name, tested))
            rows.append(_row(own, baseline, "real only", tested))
            alone = [run for run in plain if run.config.arm == arm.real_only]
            if alone and arm.policy != "none" and arm.add != "nothing":
                rows.append(_row(own, alone, arm.real_only.name, tested))
            same_steps = [run for run in of_shots if run.config.matched == arm]
            if same_steps:
                rows.append(_row(own, same_steps, SAME_STEPS, tested))
    return rows


def _row(runs: Sequence[Run], baseline: Sequence[Run], against: str, tested: int) -> GainRow:
    runs, baseline = _sorted(runs), _sorted(baseline)
    draws = len({run.config.draw for run in runs})
    own, base = (_by_image(part, draws, tested) for part in (runs, baseline))
    found = gain(own, base)
    by_run = 100 * (own.mean(axis=2) - base.mean(axis=2))
    bounds = bootstrap_interval(by_run)
    name = runs[0].config.arm.name
    metric, *others = runs[0].metrics
    shown = name if against == "real only" else f"{name} (against {against})"
    return GainRow(
        shots=runs[0].config.shots,
        arm=name,
        against=against,
        metric=metric,
        value=100 * float(own.mean()),
        baseline=100 * float(base.mean()),
        gain=found.mean,
        low=found.low,
        high=found.high,
        relative=found.relative,
        bootstrap=(bounds.low, bounds.high),
        verdict=found.verdict,
        draws=found.draws,
        seeds=found.seeds,
        draws_to_tell=found.draws_to_tell,
        by_class=list(_points(runs) - _points(baseline)),
        sentence=sentence(shown, found),
        others={name: _mean(runs, name) - _mean(baseline, name) for name in others},
    )


def _sorted(runs: Sequence[Run]) -> list[Run]:
    return sorted(runs, key=lambda run: (run.config.draw, run.config.seed))


def _by_image(runs: Sequence[Run], draws: int, tested: int) -> np.ndarray:
    """What each test image gave: (draws, seeds, images)."""
    return np.stack([unpack(run.by_image, tested) for run in runs]).reshape(draws, -1, tested)


def _points(runs: Sequence[Run]) -> np.ndarray:
    return 100 * np.mean([run.by_class for run in runs], axis=0)


def _mean(runs: Sequence[Run], name: str) -> float:
    return 100 * float(np.mean([run.metrics[name] for run in runs]))
