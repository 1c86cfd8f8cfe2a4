"""The gain of an arm: its paired difference to real only, with an interval and a plain sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal, Protocol

import numpy as np
from scipy import stats

from ...core.counted import pluralize
from .report.sample_figures import decimals
from .sharing import INDEPENDENT, Sharing

LEVEL = 0.95
POWER = 0.8
MOST_DRAWS = 1000
MOST = 100.0  # points: no gain is larger
NOTHING = 1e-9  # points: what is left of rounding
Verdict = Literal["helps", "hurts", "cannot tell", "no difference"]


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
    None when it is told already, or when more draws would not do it. `shared`: the mean share of
    photos that two draws have in common, from 0 to 1. `other_photos`: whether the interval speaks
    of other photos than those of the draws; else of other test images and trainings alone.
    """

    mean: float
    low: float
    high: float
    relative: float
    verdict: Verdict
    draws: int
    seeds: int
    draws_to_tell: int | None
    shared: float = 0.0
    other_photos: bool = True


def estimate_gain(arm: np.ndarray, real_only: np.ndarray, sharing: Sharing = INDEPENDENT) -> Gain:
    """From each test image's part in the metric (draws, seeds, images), paired in all three.

    `sharing`: of the draws. A single draw, and draws that all hold the same photos, have an
    interval that is about other test images and trainings alone.
    """
    points = 100 * (arm.astype(np.float64) - real_only)
    interval = estimate_interval(points, sharing, is_binary(arm) and is_binary(real_only))
    other_photos = len(points) > 1 and sharing.shared < 1
    more = _draws_to_tell(points.mean(axis=1), interval, sharing) if other_photos else None
    base = 100 * float(real_only.mean())
    relative = 100 * interval.mean / base if base else float("nan")
    draws, seeds = arm.shape[:2]
    answer = verdict(interval)
    more = more if answer == "cannot tell" else None
    shared = sharing.shared if draws > 1 else 0.0
    return Gain(
        interval.mean,
        interval.low,
        interval.high,
        relative,
        answer,
        draws,
        seeds,
        more,
        shared,
        other_photos,
    )


def is_binary(parts: np.ndarray) -> bool:
    """Whether each test image is either right or wrong."""
    return bool(((parts == 0) | (parts == 1)).all())


def estimate_interval(
    points: np.ndarray, sharing: Sharing = INDEPENDENT, binary: bool = False, level: float = LEVEL
) -> Interval:
    """For the mean of differences in points (draws, seeds, images), never of width 0.

    `binary`: each is of an image that was right or wrong. A single draw is told by its seeds, which
    say nothing of other photos. `level`: of coverage, from 0 to 1.
    """
    single = len(points) == 1
    if single:
        interval = estimate_single_draw_interval(points[0], binary, level)
    else:
        interval = estimate_crossed_interval(points.mean(axis=1), sharing, binary, level)
    return Interval(
        interval.mean, max(interval.low, -MOST), min(interval.high, MOST), interval.error
    )


def interval(differences: np.ndarray, level: float = LEVEL) -> Interval:
    """Student's interval for the mean of one difference a draw (n).

    Draws are independent, and the mean over a draw's seeds carries both spreads, so that this is
    the exact interval of the balanced two-level design under normal effects. The bootstrap's
    percentiles are too narrow for few draws (Hesterberg 2015, "What Teachers Should Know About
    the Bootstrap", section 3.2): `bootstrap_interval` shows by how much.
    """
    count = len(differences)
    mean, error = float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(count))
    return _student(mean, error, count - 1, level)


def estimate_crossed_interval(
    differences: np.ndarray,
    sharing: Sharing = INDEPENDENT,
    binary: bool = False,
    level: float = LEVEL,
) -> Interval:
    """For the mean of differences (draws, images) in points: both are drawn, and every draw sees
    all images.

    Variance s_d^2 / D + s_i^2 / N - s_di^2 / (D N) from the mean squares of the two-way layout,
    and degrees of freedom after Satterthwaite 1946, as for readers and cases in medical imaging:
    Hillis 2007, "A comparison of denominator degrees of freedom methods for multiple observer ROC
    analysis"; here without dropping the interaction. Draws that share photos add
    `sharing.widening` times s_d^2. Where draws vary less than the interaction alone would make
    them, that is taken for their spread.

    Where `binary`, the images' part is at least 1 / (N + 2)^2, that of one image more that gains
    and one that loses by half: Agresti & Min 2005, "Simple improved confidence intervals for
    comparing matched proportions". Where nothing varies at all, the interval reaches as far as
    `unseen_share`: differences that not one of N images shows may have that share of all images.
    """
    draws, images = differences.shape
    by_draw, by_image = differences.mean(axis=1), differences.mean(axis=0)
    mean = float(by_draw.mean())
    rest = differences - by_draw[:, None] - by_image[None] + mean
    of_both = float(np.square(rest).sum()) / max((draws - 1) * (images - 1), 1) / (draws * images)
    of_draws = _variance(by_draw) / draws
    freedom = sharing.degrees_of_freedom(draws)
    if of_draws < of_both:  # which it is expected to hold
        of_draws, freedom = of_both, freedom * max(images - 1, 1)
    # The images' own part; both means hold the interaction.
    of_images = max(_variance(by_image) / images - of_both, _least(images, binary))
    widened = of_draws * (1 + draws * sharing.widening)
    interval = _from_parts(mean, ((widened, freedom), (of_images, images - 1)), level)
    return _not_of_width_0(interval, differences, level)


def estimate_single_draw_interval(
    differences: np.ndarray, binary: bool = False, level: float = LEVEL
) -> Interval:
    """For the mean of differences (seeds, images) in points of one draw: other test images, and
    other trainings as far as seeds differ by more than chance. It says nothing of other photos.

    The components of `crossed_interval`, with the interaction on the images' side, for which there
    are many.
    """
    seeds, images = differences.shape
    by_seed, by_image = differences.mean(axis=1), differences.mean(axis=0)
    mean = float(by_seed.mean())
    rest = differences - by_seed[:, None] - by_image[None] + mean
    of_both = float(np.square(rest).sum()) / max((seeds - 1) * (images - 1), 1) / (seeds * images)
    of_seeds = max(_variance(by_seed) / seeds - of_both, 0.0)
    of_images = max(_variance(by_image) / images, _least(images, binary))
    interval = _from_parts(mean, ((of_seeds, seeds - 1), (of_images, images - 1)), level)
    return _not_of_width_0(interval, differences, level)


def _least(images: int, binary: bool) -> float:
    return (100 / (images + 2)) ** 2 if binary else 0.0


def _not_of_width_0(interval: Interval, differences: np.ndarray, level: float) -> Interval:
    """The interval where differences vary; else as wide as what so few images cannot show."""
    images = differences.shape[1]
    varies = images > 1 and np.ptp(differences) > NOTHING and interval.error > NOTHING
    if varies:
        return interval
    student = interval.high - interval.mean if np.ptp(differences) > NOTHING else 0.0
    return _at_least(interval, student, images, level)


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _from_parts(mean: float, components: Sequence[tuple[float, float]], level: float) -> Interval:
    """Student's interval from variances and their degrees of freedom (Satterthwaite 1946)."""
    variance = sum(component for component, _ in components)
    below = sum(component**2 / max(freedom, 1) for component, freedom in components)
    return _student(mean, float(np.sqrt(variance)), variance**2 / below if below else 1.0, level)


def _at_least(interval: Interval, student: float, images: int, level: float) -> Interval:
    """The interval as wide as what so few test images cannot have shown."""
    reach = max(100 * unseen_share(images, level), student)
    return Interval(interval.mean, interval.mean - reach, interval.mean + reach, reach / 2)


def unseen_share(images: int, level: float = LEVEL) -> float:
    """The largest share, from 0 to 1, of what none of so many images shows.

    The exact bound of Clopper & Pearson 1934 for no hit in N, 1 - (alpha / 2)^(1 / N), as the rule
    of three has it: about 3.7 / N at 95 %.
    """
    return 1 - ((1 - level) / 2) ** (1 / images)


def _student(mean: float, error: float, freedom: float, level: float = LEVEL) -> Interval:
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error
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


def verdict(interval: Interval) -> Verdict:
    """What the interval says; one that touches 0 cannot tell."""
    if interval.low > 0:
        return "helps"
    return "hurts" if interval.high < 0 else "cannot tell"


def _draws_to_tell(by_image: np.ndarray, interval: Interval, sharing: Sharing) -> int | None:
    """From differences (draws, images), their interval, and how many draws there can be."""
    by_draw = by_image.mean(axis=1)
    # Of the images and of the photos that draws share: more draws leave it as it is.
    fixed = interval.error**2 - _variance(by_draw) / len(by_draw)
    spread = float(by_draw.std(ddof=1))
    needed = draws_to_tell(float(by_draw.mean()), spread, len(by_draw), fixed)
    return needed if needed and needed <= sharing.possible else None


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


def sentence(name: str, gain: Gain, shots: int | None = None, control: bool = False) -> str:
    """The gain in words: "helps", "hurts" or "cannot tell", with points and interval.

    `shots`: real images of each class, named where no others were tested. `control`: of an arm that
    must gain nothing.
    """
    if not gain.other_photos:
        return _of_these_photos(name, gain, shots, control)
    size = f"{_size(gain)}{_draws(gain)}"
    if gain.verdict in ("helps", "hurts"):
        return f"{name} {gain.verdict}: {size}{_relative(gain)}."
    if gain.verdict == "no difference":
        return f"{name}: nothing to compare: {size}."
    rest = room_left(gain.low, gain.high) if control else more_draws(gain)
    return f"{name}: cannot tell: {size}; {rest}."


def room_left(low: float, high: float) -> str:
    """What an interval says that includes 0, of an arm that must gain nothing; bounds in points.

    That no difference was seen is not that there is none.
    """
    reach = max(abs(low), abs(high))
    digits = decimals(low, high)
    return (
        f"the interval includes 0, as it must, and leaves room for up to {reach:.{digits}f} points"
    )


def more_draws(gain: "Told") -> str:
    """What would tell a gain that cannot be told."""
    if not gain.other_photos:
        return "other photos were not tested"
    if gain.draws_to_tell:
        return f"about {gain.draws_to_tell:,} draws would detect a gain of this size"
    alone = "more draws alone would not detect a gain of this size"
    return f"{alone}; more photos to draw from might" if gain.shared else alone


class Told(Protocol):
    """A gain, or its row in results.json."""

    @property
    def other_photos(self) -> bool: ...
    @property
    def draws_to_tell(self) -> int | None: ...
    @property
    def shared(self) -> float: ...


def _of_these_photos(name: str, gain: Gain, shots: int | None, control: bool) -> str:
    photos = "these photos" if shots is None else f"these {pluralize(shots, 'photo')} of each class"
    verdicts = {"cannot tell": ": cannot tell", "no difference": ": nothing to compare"}
    size = _size(gain, ", for other test images alone")
    includes_0 = control and gain.verdict == "cannot tell"
    rest = f"; {room_left(gain.low, gain.high)}" if includes_0 else ""
    return (
        f"{name}{verdicts.get(gain.verdict, f' {gain.verdict}')} with {photos}, and other photos "
        f"were not tested: {size}{rest}."
    )


def _size(gain: Gain, covers: str = "") -> str:
    digits = decimals(gain.mean, gain.low, gain.high)
    mean, low, high = (f"{value:+.{digits}f}" for value in (gain.mean, gain.low, gain.high))
    return f"{mean} points ({low} to {high}{covers})"


def _draws(gain: Gain) -> str:
    """How many draws, where that tells why, and how much they share."""
    share = round(100 * gain.shared)
    sharing = f" that share {share} % of their photos" if share else ""
    counts = sharing or gain.verdict == "cannot tell"
    return f" over {pluralize(gain.draws, 'draw')}{sharing}" if counts else ""


def _relative(gain: Gain) -> str:
    return "" if isnan(gain.relative) else f", {gain.relative:+.1f} % relative"
