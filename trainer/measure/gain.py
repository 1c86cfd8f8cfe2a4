"""The gain of an arm: its paired difference to real only, with an interval and a plain sentence."""

from dataclasses import dataclass
from math import isnan
from typing import Literal

import numpy as np
from scipy import stats

from ...core.errors import InputError

LEVEL = 0.95
POWER = 0.8
MOST_DRAWS = 1000
Verdict = Literal["helps", "hurts", "cannot tell"]


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval; `error`: the standard error that its width rests on."""

    mean: float
    low: float
    high: float
    error: float


@dataclass(frozen=True)
class Gain:
    """In points (percent of the metric), `relative` in percent of what real only reaches: nan where
    that is nothing.

    `draws_to_tell`: with that many draws in all a gain of this size would be told with 80 % power;
    None when it is told already, or when more draws would not do it.
    """

    mean: float
    low: float
    high: float
    relative: float
    verdict: Verdict
    draws: int
    seeds: int
    draws_to_tell: int | None


def gain(arm: np.ndarray, real_only: np.ndarray, with_images: bool = True) -> Gain:
    """From each test image's part in the metric (draws, seeds, images), paired in all three.

    `with_images`: the interval is also about other test images than these, not only about other
    draws and seeds. Raises InputError for fewer than two draws, which have no spread.
    """
    if len(arm) < 2:
        raise InputError("An interval needs two draws at least; five or more are better.")
    points = 100 * (arm.astype(np.float64) - real_only).mean(axis=1)
    found = crossed_interval(points) if with_images else interval(points.mean(axis=1))
    more = None if verdict(found) != "cannot tell" else _draws_to_tell(points, with_images)
    base = 100 * float(real_only.mean())
    relative = 100 * found.mean / base if base else float("nan")
    draws, seeds = arm.shape[:2]
    return Gain(found.mean, found.low, found.high, relative, verdict(found), draws, seeds, more)


def interval(differences: np.ndarray) -> Interval:
    """Student's interval for the mean of one difference a draw (n).

    Draws are independent, and the mean over a draw's seeds carries both spreads, so that this is
    the exact interval of the balanced two-level design under normal effects. The bootstrap's
    percentiles are too narrow for few draws (Hesterberg 2015, "What Teachers Should Know About
    the Bootstrap", section 3.2): `bootstrap_interval` shows by how much.
    """
    count = len(differences)
    mean, error = float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(count))
    return _student(mean, error, count - 1)


def crossed_interval(differences: np.ndarray) -> Interval:
    """For the mean of differences (draws, images): both are drawn, and every draw sees all images.

    Variance s_d^2 / D + s_i^2 / N - s_di^2 / (D N) from the mean squares of the two-way layout,
    and degrees of freedom after Satterthwaite 1946, as for readers and cases in medical imaging:
    Hillis 2007, "A comparison of denominator degrees of freedom methods for multiple observer ROC
    analysis"; here without dropping the interaction. Never narrower than `interval`.
    """
    draws, images = differences.shape
    by_draw, by_image = differences.mean(axis=1), differences.mean(axis=0)
    mean = float(by_draw.mean())
    rest = differences - by_draw[:, None] - by_image[None] + mean
    of_draws = float(by_draw.var(ddof=1)) / draws
    if images < 2:
        return interval(by_draw)
    of_images = float(by_image.var(ddof=1)) / images
    of_both = float(np.square(rest).sum()) / ((draws - 1) * (images - 1)) / (draws * images)
    added = max(of_images - of_both, 0.0)  # the images' own part; both means hold the interaction
    variance = of_draws + added
    parts = of_draws**2 / (draws - 1) + added**2 / (images - 1)
    freedom = variance**2 / parts if parts else draws - 1
    return _student(mean, float(np.sqrt(variance)), freedom)


def _student(mean: float, error: float, freedom: float) -> Interval:
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Interval(mean, mean - reach, mean + reach, error)


def bootstrap_interval(differences: np.ndarray, seed: int = 0, times: int = 4000) -> Interval:
    """The hierarchical bootstrap's percentiles for the mean of differences (draws, seeds).

    Draws are drawn with replacement and keep their seeds, which mimics the variance best (Davison
    & Hinkley 1997, section 3.8). A second opinion where differences are far from normal; with
    fewer than ten draws it is too narrow.
    """
    by_draw = differences.mean(axis=1)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(by_draw), (times, len(by_draw)))
    means = by_draw[chosen].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(by_draw.mean()), float(low), float(high), float(means.std()))


def verdict(found: Interval) -> Verdict:
    """What the interval says; one that touches 0 cannot tell."""
    if found.low > 0:
        return "helps"
    return "hurts" if found.high < 0 else "cannot tell"


def _draws_to_tell(points: np.ndarray, with_images: bool) -> int | None:
    by_draw = points.mean(axis=1)
    fixed = 0.0
    if with_images and points.shape[1] > 1:
        # Of the images: more draws leave it as it is.
        fixed = crossed_interval(points).error ** 2 - interval(by_draw).error ** 2
    return draws_to_tell(float(by_draw.mean()), float(by_draw.std(ddof=1)), len(by_draw), fixed)


def draws_to_tell(effect: float, spread: float, least: int, fixed: float = 0.0) -> int | None:
    """How many draws tell an `effect` with 80 % power, `least` < n <= 1000, or None.

    `spread`: standard deviation of the draws' differences. `fixed`: variance that draws do not
    lower. Power of Student's test: Cohen 1988, by the noncentral t distribution.
    """
    counts = np.arange(least + 1, MOST_DRAWS + 1)
    errors = np.sqrt(spread**2 / counts + max(fixed, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        power = stats.nct.sf(
            stats.t.ppf((1 + LEVEL) / 2, counts - 1), counts - 1, abs(effect) / errors
        )
    enough = counts[np.nan_to_num(power) >= POWER]
    return int(enough[0]) if len(enough) else None


def sentence(name: str, found: Gain) -> str:
    """The gain in words: "helps", "hurts" or "cannot tell", with points and interval."""
    size = f"{found.mean:+.1f} points ({found.low:+.1f} to {found.high:+.1f})"
    if found.verdict != "cannot tell":
        share = "" if isnan(found.relative) else f", {found.relative:+.1f} % relative"
        return f"{name} {found.verdict}: {size}{share}."
    more = (
        f"about {found.draws_to_tell} draws would tell a gain of this size"
        if found.draws_to_tell
        else "more draws alone would not tell a gain of this size"
    )
    return f"{name}: cannot tell: {size} over {found.draws} draws; {more}."
