"""How like, how varied and how obedient pictures of subjects are: the measures by themselves."""

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.trainer.subjects.evaluation.prompt_fidelity import (
    leave_one_out_share,
    share_in_context,
    train_class_probe,
)
from manyshot.trainer.subjects.evaluation.subject_fidelity import (
    bounds,
    ceiling,
    difference,
    diversity,
    pairwise,
    similarity,
)
from manyshot.trainer.subjects.evaluation.subject_pictures import Drawing


def rows(count: int, seed: int, centre: int | None = None, spread: float = 0.3) -> np.ndarray:
    """Features (count, 12) of unit length, around an axis or anywhere."""
    found = np.random.default_rng(seed).normal(size=(count, 12))
    if centre is not None:
        found = np.eye(12)[centre] + spread * found
    return found / np.linalg.norm(found, axis=1, keepdims=True)


counts = st.integers(1, 7)


@given(counts, counts, st.integers(0, 99))
def test_the_pairwise_cosine_is_the_mean_over_all_pairs(n: int, m: int, seed: int) -> None:
    first, second = rows(n, seed), rows(m, seed + 1)
    by_hand = np.mean([[a @ b for b in second] for a in first])
    assert pairwise(first, second) == pytest.approx(by_hand)


@given(st.integers(0, 6), st.integers(1, 6), st.integers(0, 99))
def test_the_ceiling_is_the_mean_over_pairs_of_different_photos(k: int, m: int, seed: int) -> None:
    photos = rows(k + m, seed)
    held_out = photos[k:]
    pairs = [a @ b for j, b in enumerate(held_out) for i, a in enumerate(photos) if i != k + j]
    found = ceiling(photos, held_out)
    assert found == (pytest.approx(np.mean(pairs)) if pairs else None)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_the_interval_holds_the_similarity(n: int, m: int, seed: int) -> None:
    pictures, held_out = rows(n, seed), rows(m, seed + 1)
    found = similarity(pictures, held_out)
    assert found.value == pytest.approx(pairwise(pictures, held_out))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    same = difference(pictures, pictures, held_out)
    assert same.value == pytest.approx(0)
    assert same.low - 1e-9 <= 0 <= same.high + 1e-9


def test_more_pictures_of_the_subject_lie_nearer_to_its_photos() -> None:
    held_out, own, other = rows(8, 0, 0), rows(30, 1, 0), rows(30, 2, 1)
    assert difference(own, other, held_out).low > 0.3
    wide, narrow = similarity(own[:4], held_out), similarity(own, held_out)
    assert narrow.high - narrow.low < wide.high - wide.low
    between = (own + other) / np.linalg.norm(own + other, axis=1, keepdims=True)
    photos = np.concatenate([rows(5, 3, 0), held_out])
    found = bounds(photos, held_out, {"far": other, "between": between})
    assert found.nearest_class == "between"
    assert found.nearest is not None
    assert found.nearest == pytest.approx(pairwise(between, held_out))
    assert found.mean == pytest.approx((found.nearest + pairwise(other, held_out)) / 2)
    assert found.normalise(pairwise(own, held_out)) == pytest.approx(1, abs=0.1)
    assert found.mean is not None
    assert found.normalise(found.mean) == 0
    assert 0.2 < (found.normalise(found.nearest) or 0) < 0.9


def test_bounds_that_are_missing_or_not_apart_place_nothing() -> None:
    one = rows(1, 0)
    assert bounds(one, one, {}).ceiling is None
    assert bounds(rows(3, 1), one, {}).normalise(0.5) is None
    held_out = rows(4, 0, 0)
    assert bounds(held_out, held_out, {"as like": held_out}).normalise(0.9) is None


@given(st.integers(2, 7), st.integers(0, 99))
def test_diversity_is_the_mean_distance_of_different_pictures(n: int, seed: int) -> None:
    found = rows(n, seed)
    pairs = [1 - found[i] @ found[j] for i in range(n) for j in range(i)]
    assert diversity(found) == pytest.approx(np.mean(pairs))


def test_diversity_needs_two_and_something_to_compare_with() -> None:
    same = np.repeat(rows(1, 0), 3, axis=0)
    assert diversity(same) == pytest.approx(0)
    assert diversity(same[:1]) is None


def test_a_probe_tells_whose_picture_it_is() -> None:
    real = {"cat": rows(3, 0, 0), "dog": rows(30, 1, 1), "cow": rows(30, 2, 2)}
    probe = train_class_probe(real)
    assert probe is not None
    assert probe.share(rows(20, 3, 0), "cat") > 0.7
    assert probe.share(rows(20, 3, 1), "cat") < 0.1
    assert train_class_probe({"cat": real["cat"]}) is None


def in_contexts(subject: int, seed: int, obey: float) -> np.ndarray:
    """Features (3, 8, 12): a subject in three contexts, from eight seeds."""
    own = np.random.default_rng(seed).normal(size=(8, 12)) + 4 * np.eye(12)[subject]
    found = own + 3 * obey * np.eye(12)[3:6][:, None]
    noise = 0.1 * np.random.default_rng(seed + 1).normal(size=found.shape)
    found += noise
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def test_contexts_are_followed_whatever_the_subject_looks_like() -> None:
    shown = in_contexts(0, 0, obey=1)
    assert leave_one_out_share(shown) == 1
    assert share_in_context(in_contexts(1, 7, obey=1), shown) == 1
    deaf = share_in_context(in_contexts(1, 7, obey=0), shown)
    assert deaf is not None
    assert deaf < 0.7
    assert share_in_context(shown[:1], shown[:1]) is None
    assert leave_one_out_share(shown[:, :1]) is None


def test_templates_take_turns() -> None:
    drawing = Drawing(3, templates=("a {}", "{} {0.__class__}"), contexts=("snow",))
    assert drawing.prompts("x") == ["a x", "x {0.__class__}", "a x"]
    assert drawing.context_prompts("x") == ["a x, snow"]
