"""Gains: intervals that cover what is known as often as they say, and sentences that fit them."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from manyshot.trainer.measure.gain import (
    Interval,
    bootstrap_interval,
    draws_to_tell,
    estimate_crossed_interval,
    estimate_gain,
    interval,
    sentence,
    verdict,
)
from scipy import stats

TIMES = 1500
KNOWN = 1.5  # points


def covered(found: list[Interval]) -> float:
    return float(np.mean([one.low <= KNOWN <= one.high for one in found]))


def two_levels(rng: np.random.Generator, draws: int, seeds: int, skewed: bool) -> np.ndarray:
    """Differences (draws, seeds) around a known gain, a spread of draws and one of seeds."""
    by_draw = (rng.gamma(4, 1, draws) - 4) if skewed else rng.normal(0, 2, draws)
    return KNOWN + by_draw[:, None] + rng.normal(0, 1, (draws, seeds))


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize(("draws", "seeds"), [(3, 3), (5, 1), (5, 3), (10, 3), (20, 2)])
def test_the_interval_covers_a_known_estimate_gain(draws: int, seeds: int, skewed: bool) -> None:
    rng = np.random.default_rng(draws)
    found = [interval(two_levels(rng, draws, seeds, skewed).mean(axis=1)) for _ in range(TIMES)]
    assert 0.92 <= covered(found) <= 0.98


def right_and_wrong(
    rng: np.random.Generator, draws: int, images: int, by_draw: float
) -> tuple[np.ndarray, np.ndarray]:
    """What two arms got right, bool (draws, 1, images), of fresh draws and fresh images.

    Every image is more or less hard, and every draw gains more or less.
    """
    hard = rng.uniform(0.2, 0.8, images)
    gains = KNOWN / 100 + rng.normal(0, by_draw / 100, (draws, 1))
    own = rng.normal(0, 0.1, images)  # some images gain, some lose
    chances = hard[None] + gains + own[None]
    return (rng.random((draws, images)) < chances)[:, None], (
        rng.random((draws, images)) < hard[None]
    )[:, None]


@pytest.mark.parametrize(("draws", "images", "by_draw"), [(5, 200, 2), (10, 400, 1), (10, 100, 0)])
def test_the_interval_over_images_too_covers_a_known_estimate_gain(
    draws: int, images: int, by_draw: float
) -> None:
    rng = np.random.default_rng(images)
    found = [
        estimate_gain(*right_and_wrong(rng, draws, images, by_draw)) for _ in range(TIMES // 3)
    ]
    share = np.mean([one.low <= KNOWN <= one.high for one in found])
    assert 0.92 <= share <= 0.98


def test_the_bootstrap_is_too_narrow_for_five_draws() -> None:
    rng = np.random.default_rng(0)
    found = [bootstrap_interval(two_levels(rng, 5, 3, False), times=400) for _ in range(400)]
    assert covered(found) < 0.92


def test_the_bootstrap_agrees_when_there_are_many_draws() -> None:
    differences = two_levels(np.random.default_rng(0), 100, 3, False)
    exact, other = interval(differences.mean(axis=1)), bootstrap_interval(differences)
    assert (other.low, other.high) == pytest.approx((exact.low, exact.high), abs=0.1)


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 8))
    found = interval(first - second)
    wanted = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))


def test_other_images_widen_the_interval_and_many_of_them_do_not() -> None:
    rng = np.random.default_rng(0)
    by_draw = rng.normal(1, 1, (6, 1))
    few, many = (by_draw + rng.normal(0, 20, (1, images)) for images in (50, 200_000))
    assert estimate_crossed_interval(few).high - estimate_crossed_interval(few).low > 5
    wide, narrow = estimate_crossed_interval(many), interval(many.mean(axis=1))
    assert (wide.low, wide.high) == pytest.approx((narrow.low, narrow.high), abs=0.05)


def test_equal_arms_gain_nothing() -> None:
    right = np.random.default_rng(0).random((4, 2, 30)) < 0.7
    found = estimate_gain(right, right)
    assert (found.mean, found.verdict) == (0, "cannot tell")
    assert found.high == -found.low == pytest.approx(100 * (1 - 0.025 ** (1 / 30)))
    assert found.draws_to_tell is None


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [(0.1, 2, "helps"), (-2, -0.1, "hurts"), (-1, 1, "cannot tell"), (0, 1, "cannot tell")],
)
def test_verdict(low: float, high: float, wanted: str) -> None:
    assert verdict(Interval((low + high) / 2, low, high, 4)) == wanted


def test_as_many_draws_as_said_do_tell() -> None:
    needed = draws_to_tell(effect=1.0, spread=2.0, least=5)
    assert needed == 34  # G*Power: two-sided paired t test, effect 0.5, power 0.8
    rng = np.random.default_rng(0)
    told = [verdict(interval(rng.normal(1, 2, needed))) == "helps" for _ in range(TIMES)]
    assert np.mean(told) == pytest.approx(0.8, abs=0.04)


def test_more_draws_do_not_tell_what_only_more_images_would() -> None:
    assert draws_to_tell(effect=1.0, spread=0.1, least=5, fixed=1.0) is None
    assert draws_to_tell(effect=0.0, spread=1.0, least=5) is None


def test_sentences() -> None:
    rng = np.random.default_rng(0)
    base = rng.random((10, 2, 500)) < 0.5
    better, worse = base | (rng.random(base.shape) < 0.3), base & (rng.random(base.shape) < 0.7)
    noisy = rng.random(base.shape) < 0.505
    assert sentence("+ synthetic 100 %", estimate_gain(better, base)).startswith(
        "+ synthetic 100 % helps: +14.1 points (+13."
    )
    assert "hurts: -1" in sentence("A", estimate_gain(worse, base))
    assert "cannot tell" in sentence("A", estimate_gain(noisy, base))
    assert "more draws" in sentence(
        "A", estimate_gain(noisy, base)
    ) or "draws would detect" in sentence("A", estimate_gain(noisy, base))
