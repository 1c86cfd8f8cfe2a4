"""Near-copies: exact ones, disguised ones, and pictures that have nothing to do with each other."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.trainer.near_copies import (
    Neighbours,
    make_disguised_copies,
    mirrored,
    nearest,
    nearest_images,
    search_copies,
    thumbnails,
)
from manyshot.trainer.pair_sheet import write_nearest_pairs
from PIL import Image


def pictures(count: int, seed: int = 0, side: int = 64) -> list[np.ndarray]:
    """Smooth random pictures: 6 x 6 random colours, enlarged."""
    colours = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    size = (side, side)
    return [np.asarray(Image.fromarray(c).resize(size, Image.Resampling.BICUBIC)) for c in colours]


def test_nearest_by_hand() -> None:
    references = np.eye(3)
    rows = np.array([[0, 1, 0], [0.6, 0, 0.8], [1, 0, 0]])
    turned = np.array([[0, 1, 0], [0.6, 0, 0.8], [0, 0, 1]])
    found = nearest(rows[:2], turned[:2], references)
    assert found.index.tolist() == [1, 2]
    assert found.distance == pytest.approx([0, np.sqrt(0.4)])
    only_turned = nearest(rows[2:], turned[2:], references[1:])
    assert (only_turned.index.tolist(), only_turned.distance.tolist()) == ([1], [0])


@pytest.mark.parametrize("disguise", ["none", "mirrored", "darker", "tinted"])
def test_an_exact_copy_is_found_at_no_distance(disguise: str) -> None:
    real = pictures(20)
    copy = {
        "none": real[7],
        "mirrored": mirrored([real[7]])[0],
        "darker": real[7] // 2,
        "tinted": (real[7] // 2 + np.array([60, 0, 20])).astype(np.uint8),
    }[disguise]
    found = nearest_images([copy], thumbnails(real))
    assert found.index.tolist() == [7]
    assert found.distance[0] < 0.02


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_thumbnails_are_of_unit_length_and_distances_within_bounds(seed: int) -> None:
    rows = thumbnails(pictures(4, seed))
    assert rows.shape == (4, 768)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(4), rel=1e-5)
    found = nearest_images(pictures(3, seed + 5000), rows)
    assert ((found.distance > 0) & (found.distance <= 2)).all()


def test_a_plain_picture_is_no_copy_of_anything() -> None:
    grey = np.full((64, 64, 3), 127, np.uint8)
    assert nearest_images([grey], thumbnails(pictures(5))).distance[0] > 1.4


def test_search_tells_disguised_copies_from_other_pictures() -> None:
    real = pictures(120)
    copies, others = make_disguised_copies(real[:30], seed=9), pictures(90, seed=2)
    report, neighbours = search_copies([*copies, *others], real, pictures(100, seed=3))
    assert report.caught == pytest.approx(0.95, abs=0.01)
    assert report.real_share == 0
    assert report.share == pytest.approx(30 / 120, abs=0.03)
    assert neighbours.index[:30].tolist() == list(range(30))


def test_photos_the_data_set_holds_twice_show_in_the_real_share() -> None:
    real = pictures(40)
    report, _ = search_copies(pictures(10, seed=4), real, [*real[:5], *pictures(45, seed=5)])
    assert report.real_share == pytest.approx(0.1)
    assert report.share == 0


def test_disguises_are_repeatable_and_keep_size() -> None:
    first, again, other = (make_disguised_copies(pictures(3), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first[0].shape == (64, 64, 3)


def test_without_real_images() -> None:
    with pytest.raises(InputError, match="no real images"):
        nearest_images(pictures(1), np.zeros((0, 768)))


def test_pairs_are_drawn_nearest_first(tmp_path: Path) -> None:
    images = [np.full((8, 8, 3), value, np.uint8) for value in (10, 20, 30)]
    real = [np.full((8, 8, 3), value, np.uint8) for value in (110, 120)]
    found = Neighbours(np.array([0, 1, 1]), np.array([0.9, 0.1, 0.5]))
    path = tmp_path / "deep" / "pairs.png"
    write_nearest_pairs(path, images, real, found, count=2, columns=1)
    sheet = np.asarray(Image.open(path))
    shown = [value for value in (10, 20, 30, 110, 120) if (sheet == value).all(axis=2).sum() >= 64]
    assert shown == [20, 30, 120]
    assert (
        np.argwhere((sheet == 20).all(axis=2))[0][0] < np.argwhere((sheet == 30).all(axis=2))[0][0]
    )
