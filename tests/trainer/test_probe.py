"""How often a probe agrees, and how sure that is."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.trainer.probe import (
    agreement,
    class_error,
    class_shares,
    hits,
    species_agreement,
    train_probe,
)

SCORES = np.array(
    [
        [9, 8, 7, 6, 5, 4, 3],
        [0, 1, 2, 3, 4, 5, 6],
        [1, 9, 0, 0, 0, 0, 0],
    ],
    dtype=float,
)


@pytest.mark.parametrize(
    ("labels", "top1", "top5"),
    [([0, 6, 1], 1, 1), ([4, 2, 1], 1 / 3, 1), ([5, 1, 1], 1 / 3, 1 / 3), ([6, 0, 0], 0, 1 / 3)],
)
def test_agreement(labels: list[int], top1: float, top5: float) -> None:
    found = agreement(SCORES, np.array(labels))
    assert (found.top1, found.top5) == pytest.approx((top1, top5))


def test_class_shares() -> None:
    right = np.array([True, False, True, True, False])
    assert class_shares(right, np.array([2, 2, 5, 5, 7])) == {2: 0.5, 5: 1.0, 7: 0.0}


def test_species_agreement() -> None:
    species = np.array(["cat", "cat", "dog", "dog", "dog", "cat", "dog"])
    found = species_agreement(SCORES, np.array([1, 5, 5]), species)
    assert found.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("right", "labels", "error"),
    [
        ([1, 1, 1, 1], [0, 0, 1, 1], 0),
        ([1, 1, 0, 0], [0, 0, 1, 1], 0),  # the classes differ, but within them nothing does
        ([1, 0, 1, 0], [0, 0, 1, 1], np.sqrt(2 * 2 * 0.5) / 4),
        ([1, 0, 1, 0], [0, 0, 0, 0], np.sqrt(0.25 / 3)),
        ([1, 0], [0, 1], 0),
    ],
)
def test_class_error(right: list[int], labels: list[int], error: float) -> None:
    assert class_error(np.array(right, bool), np.array(labels)) == pytest.approx(error)


def test_class_error_is_the_spread_of_repeated_experiments() -> None:
    rng = np.random.default_rng(0)
    chances, labels = np.linspace(0.1, 0.9, 5), np.repeat(np.arange(5), 20)
    drawn = rng.random((500, 100)) < chances[labels]
    errors = [class_error(right, labels) for right in drawn]
    assert np.mean(errors) == pytest.approx(drawn.mean(axis=1).std(), rel=0.1)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_more_guesses_never_hit_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(12, 7)), rng.integers(0, 7, 12)
    found = [hits(scores, labels, among).sum() for among in range(1, 8)]
    assert found == sorted(found)
    assert found[-1] == 12


def test_probe_learns_what_is_there() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 30)
    rows = np.eye(8)[labels] + rng.normal(0, 0.1, (90, 8))
    probe = train_probe(rows[::2], labels[::2])
    assert agreement(probe.decision_function(rows[1::2]), labels[1::2]).top1 > 0.95
