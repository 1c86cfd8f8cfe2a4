"""How often the intervals of `manyshot measure` cover the gain that is to be found.

    python benchmarks/coverage.py [times]

Photos, test images and trainings are drawn anew for each of `times` measurements (1,000), and two
arms get single test images right or wrong. The true gain over all photos is 1.5 points. Printed as
the table of docs/measure.md: the share of intervals that cover it, the same where overlap is not
looked at, and the mean width in points.
"""

import sys
from dataclasses import dataclass

import numpy as np
from manyshot.core.counted import in_percent
from manyshot.trainer.measure.gain import estimate_gain
from manyshot.trainer.measure.sharing import Sharing, mean_shared

KNOWN = 1.5  # points
OF_PHOTO = 4.0  # points: the spread of draws of `shots` photos that share none
OF_TRAINING = 1.0  # points: the spread of trainings of one draw
IMAGES = 400


@dataclass(frozen=True)
class Case:
    """Classes with `pool` photos each; `disjoint` draws share none."""

    name: str
    pool: int
    shots: int
    draws: int
    disjoint: bool = False
    classes: int = 4


CASES = (
    Case("10 draws of 5, no photo in two", 50, 5, 10, disjoint=True),
    Case("5 draws of 5, no photo in two", 25, 5, 5, disjoint=True),
    Case("10 draws of 5 from 50", 50, 5, 10),
    Case("10 draws of 5 from 10", 10, 5, 10),
    Case("5 draws of 5 from 10", 10, 5, 5),
    Case("3 draws of 5 from 10", 10, 5, 3),
    Case("10 draws of 5 from 8", 8, 5, 10),
    Case("10 draws of 5 from 6", 6, 5, 10),
    Case("one draw: 5 of 5", 5, 5, 1),
)


def pick_draws(rng: np.random.Generator, case: Case) -> list[np.ndarray]:
    """Distinct draws, as places among the photos of all classes."""
    starts = case.pool * np.arange(case.classes)
    if case.disjoint:
        blocks = range(0, case.draws * case.shots, case.shots)
        return [(starts[:, None] + at + np.arange(case.shots)).ravel() for at in blocks]
    found: dict[bytes, np.ndarray] = {}
    for _ in range(case.draws):
        chosen = [rng.permutation(case.pool)[: case.shots] + start for start in starts]
        draw = np.sort(np.concatenate(chosen))
        found.setdefault(draw.tobytes(), draw)
    return list(found.values())


def simulate(rng: np.random.Generator, case: Case) -> tuple[np.ndarray, np.ndarray, Sharing, float]:
    """What two arms got right (draws, seeds, images), the sharing, and these photos' own gain."""
    draws = pick_draws(rng, case)
    learned = case.shots * case.classes
    photos = rng.normal(0, OF_PHOTO * np.sqrt(learned), case.pool * case.classes)
    of_draws = np.array([photos[draw].mean() for draw in draws])
    trainings = rng.normal(0, OF_TRAINING, (len(draws), 2))
    gains = (KNOWN + of_draws[:, None] + trainings)[..., None] / 100
    hard, own = rng.uniform(0.25, 0.75, IMAGES), rng.normal(0, 0.1, IMAGES)
    shape = (*trainings.shape, IMAGES)
    arm, base = rng.random(shape) < hard + gains + own, rng.random(shape) < hard
    freedom = (case.pool - 1) * case.classes
    return arm, base, Sharing(mean_shared(draws), freedom=freedom), KNOWN + float(of_draws.mean())


def row_of(case: Case, times: int) -> str:
    """The case's line of the table."""
    rng = np.random.default_rng(0)
    covered, plain, these, widths, shared = [], [], [], [], []
    for _ in range(times):
        arm, base, sharing, own = simulate(rng, case)
        found, unaware = estimate_gain(arm, base, sharing), estimate_gain(arm, base)
        covered.append(found.low <= KNOWN <= found.high)
        plain.append(unaware.low <= KNOWN <= unaware.high)
        these.append(found.low <= own <= found.high)
        widths.append(found.high - found.low)
        shared.append(sharing.shared)
    cells = [
        in_percent(float(np.mean(shared))),
        in_percent(float(np.mean(covered)), 1),
        in_percent(float(np.mean(plain)), 1),
    ]
    cells += [in_percent(float(np.mean(these)), 1), f"{np.mean(widths):.1f}"]
    return " | ".join([case.name, *cells])


def main(times: int = 1000) -> None:
    """Print the table."""
    head = ["draws", "shared", "covers other photos", "overlap left out", "covers these photos"]
    lines = [" | ".join([*head, "width, points"]), "|".join(["---"] * 6)]
    for line in (*lines, *(row_of(case, times) for case in CASES)):
        sys.stdout.write(f"| {line} |\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
