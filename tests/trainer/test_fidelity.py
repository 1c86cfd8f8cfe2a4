"""KID, precision, recall, density and coverage on point clouds whose answers are known."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.trainer.fidelity import (
    density_coverage,
    fidelity,
    kid,
    precision_recall,
    squared_discrepancy,
)

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])


def cloud(count: int, centre: float = 0.0, seed: int = 0, dimensions: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1.0, (count, dimensions))


def test_squared_discrepancy_by_hand() -> None:
    """Kernels (x.y + 1)^3 of the points 0 and 1: within 1, within 1 (0, 1), across 1, 8, 1, 1."""
    zeros, mixed = np.zeros((2, 1)), np.array([[0.0], [1.0]])
    assert squared_discrepancy(zeros, mixed, 1.0) == pytest.approx(1 + 1 - 2 * 1)
    ones = np.ones((2, 1))
    assert squared_discrepancy(zeros, ones, 1.0) == pytest.approx(1 + 8 - 2 * 1)
    assert squared_discrepancy(ones, mixed, 1.0) == pytest.approx(8 + 1 - 2 * 4.5)


def test_discrepancy_within_one_distribution_is_zero_on_average() -> None:
    """With the kernels' diagonals left in it would be far above."""
    pairs = [(cloud(20, seed=2 * n), cloud(20, seed=2 * n + 1)) for n in range(200)]
    found = [squared_discrepancy(*pair) for pair in pairs]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found)) < 0.1


def test_kid_grows_with_distance() -> None:
    found = [kid(cloud(200), cloud(150, centre, 1), size=100)[0] for centre in (0, 0.3, 1, 2)]
    assert found == sorted(found)
    assert abs(found[0]) < 0.05 < found[1]


def test_kid_is_repeatable_and_takes_few_images() -> None:
    few = cloud(5, seed=3)
    assert kid(cloud(300), few, seed=4) == kid(cloud(300), few, seed=4)
    assert kid(cloud(300), few, seed=4) != kid(cloud(300), few, seed=5)


@pytest.mark.parametrize(
    ("generated", "precision", "recall"),
    [
        (CORNERS, 1, 1),
        (CORNERS + 100, 0, 0),
        (CORNERS / 100, 1, 0.25),  # one corner, again and again: it shows nothing else
        (np.concatenate([CORNERS, CORNERS + 100]), 0.5, 1),
    ],
)
def test_precision_recall(generated: np.ndarray, precision: float, recall: float) -> None:
    found = precision_recall(CORNERS, generated, k=1)
    assert found == pytest.approx((precision, recall))


@pytest.mark.parametrize(
    ("generated", "density", "coverage"),
    [
        (CORNERS, 3, 1),  # each lies in three of four balls of radius 1: its own and two others
        (CORNERS + 100, 0, 0),
        (CORNERS[:1] * 0 + 0.1, 3, 0.75),
        (np.concatenate([CORNERS, CORNERS + 100]), 1.5, 1),
    ],
)
def test_density_coverage(generated: np.ndarray, density: float, coverage: float) -> None:
    found = density_coverage(CORNERS, generated, k=1)
    assert found == pytest.approx((density, coverage))


def test_neighbourhoods_of_duplicates_have_no_size() -> None:
    twice = np.repeat(CORNERS, 2, axis=0)
    assert precision_recall(twice, CORNERS / 2, k=1)[0] == 0.25  # only (0, 0) is met exactly


@pytest.mark.parametrize("missing", [0, 1])
def test_one_missing_mode_shows_in_recall_and_coverage(missing: int) -> None:
    modes = [cloud(60, 0, 1), cloud(60, 50, 2)]
    real = np.concatenate(modes)
    found = fidelity(real, cloud(120, (50, 0)[missing], 3))
    assert found.precision > 0.7
    assert found.coverage < 0.55
    assert found.recall < 0.55
    assert found.kid > 0


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 20), st.integers(4, 20))
def test_measures_do_not_depend_on_order_or_place(seed: int, reals: int, others: int) -> None:
    rng = np.random.default_rng(seed)
    real, generated = rng.normal(size=(reals, 3)), rng.normal(size=(others, 3))
    for measure in (precision_recall, density_coverage):
        found = measure(real, generated, k=2)
        assert measure(real[::-1] + 5, generated[::-1] + 5, k=2) == pytest.approx(found)
        assert measure(generated, generated, k=2)[1] == 1


def test_too_few_images() -> None:
    with pytest.raises(InputError, match="needs 6 images; there are 4"):
        density_coverage(CORNERS, CORNERS)
    with pytest.raises(InputError, match="KID needs at least two"):
        kid(CORNERS, CORNERS[:1])
