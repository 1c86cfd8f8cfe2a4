"""Transforms: mask, image, box and polygon move together, exactly, and stay in sight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.errors import InputError
from manyshot.core.masks.geometry import (
    Transform,
    affine,
    covering,
    crop_box,
    fit_canvas,
    identity,
    mirror,
)
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.objects import find_objects
from manyshot.core.masks.polygons import clip, rasterise
from manyshot.core.masks.variation import Variation, draw_transform, visible_share

from ..support.mask_strategies import CLASSES, SEEDS, SIZES, TURNS, masks


@settings(max_examples=60, deadline=None)
@given(TURNS, st.lists(st.tuples(st.floats(2, 40), st.floats(2, 40)), min_size=3, max_size=7))
def test_polygons_and_their_masks_part_at_the_outline_only(
    transform: Transform, places: list[tuple[float, float]]
) -> None:
    points = np.array(places)
    mask = rasterise(points, *transform.source)
    by_mask = transform.labels(mask.astype(np.uint8), 0) == 1
    by_points = rasterise(transform.points(points), *transform.size)
    columns, rows, there = transform._places()
    rows_apart, columns_apart = np.nonzero((by_mask != by_points) & there)
    centres = np.stack([columns_apart, rows_apart], axis=1) + 0.5
    for place in transform.inverse().points(centres):
        assert distance(place, points) <= 0.5**0.5 + 1e-6  # half a pixel's diagonal


def distance(place: np.ndarray, points: np.ndarray) -> float:
    ends = np.roll(points, -1, axis=0)
    along = ends - points
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((place - points) * along).sum(axis=1) / length, 0, 1)
    return float(np.hypot(*(points + share[:, None] * along - place).T).min())


@settings(max_examples=60, deadline=None)
@given(TURNS)
def test_a_turned_disc_overlaps_its_polygon(transform: Transform) -> None:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    middle = np.array([transform.source[1], transform.source[0]]) / 2
    points = middle + 7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    mask = transform.labels(rasterise(points, *transform.source).astype(np.uint8), 0) == 1
    polygon = rasterise(transform.points(points), *transform.size)
    assume(polygon.sum() > 40)
    assert (mask & polygon).sum() / (mask | polygon).sum() > 0.7


@settings(max_examples=60, deadline=None)
@given(TURNS, arrays(float, (5, 2), elements=st.floats(-50, 50)))
def test_the_inverse_brings_places_back(transform: Transform, points: np.ndarray) -> None:
    assert np.allclose(transform.inverse().points(transform.points(points)), points, atol=1e-8)
    both = transform.then(transform.inverse())
    assert both.size == both.source == transform.source
    assert np.allclose(both.matrix, identity(both.size).matrix, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(TURNS, TURNS, arrays(float, (5, 2), elements=st.floats(-50, 50)))
def test_one_after_the_other(one: Transform, other: Transform, points: np.ndarray) -> None:
    both = one.then(other)
    assert np.allclose(both.points(points), other.points(one.points(points)), atol=1e-8)
    assert (both.source, both.size) == (one.source, other.size)


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS)
def test_flips_crops_and_quarter_turns_are_exact(size: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    labels = rng.integers(0, 256, size, np.uint8)
    same, left = identity(size), mirror(size)
    square = affine((size[0], size[0]), rotate=90)
    for transform, found in ((same, image), (left, image[:, ::-1])):
        assert np.array_equal(transform.image(image), found)
        assert np.array_equal(transform.control(image), found)
    assert np.array_equal(left.labels(labels, 0), labels[:, ::-1])
    assert np.array_equal(left.inverse().labels(left.labels(labels, 0), 0), labels)
    assert left.then(left).matrix == same.matrix
    tile = np.resize(labels, (size[0], size[0]))
    assert np.array_equal(square.labels(tile, 0), np.rot90(tile, -1))  # clockwise
    box = (-1, 0, size[1], size[0] + 2)
    part = crop_box(size, box).labels(labels, 7)
    assert np.array_equal(part, np.pad(labels, ((0, 2), (1, 0)), constant_values=7))


def test_images_are_bilinear_between_their_pixels() -> None:
    image = np.repeat(np.array([[[0], [100], [200]]], np.uint8), 3, axis=2)
    half = affine((1, 3), shift=(-0.5 / 3, 0)).image(image)
    assert half[0, :2, 0].tolist() == [50, 150]
    quarter = affine((1, 3), shift=(-0.25 / 3, 0)).image(image)
    assert quarter[0, :2, 0].tolist() == [25, 125]


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(0, 8), st.integers(0, 8))
def test_fitting_keeps_all(size: tuple[int, int], tall: int, wide: int) -> None:
    wanted = (size[0] + tall, size[1] + wide)
    transform = fit_canvas(size, wanted)
    corners = transform.points(np.array([(0.0, 0.0), (size[1], size[0])]))
    assert (corners >= -1e-9).all()
    assert (corners <= np.array([wanted[1], wanted[0]]) + 1e-9).all()
    labels = np.arange(size[0] * size[1]).reshape(size).astype(np.uint16)
    assert set(np.unique(transform.labels(labels, 0))) == set(np.unique(labels))


@settings(max_examples=60, deadline=None)
@given(masks(), SEEDS)
def test_a_seed_draws_one_transform_and_objects_stay_in_sight(mask: LabelMask, seed: int) -> None:
    wild = Variation(rotate=180, scale=(0.3, 4), shift=1, shear=40, crop=0.3, visible=0.6)
    transform = draw_transform(wild, mask, seed, (20, 28))
    assert transform == draw_transform(wild, mask, seed, (20, 28))
    assert (transform.source, transform.size) == (mask.size, (20, 28))
    for one in find_objects(mask):
        assert visible_share(transform, one.mask) >= 0.6


@settings(max_examples=60, deadline=None)
@given(TURNS, SIZES)
def test_a_covering_transform_leaves_no_gap(transform: Transform, size: tuple[int, int]) -> None:
    found = covering(transform.then(fit_canvas(transform.size, size)))
    corners = np.array([(0, 0), (size[1], 0), (0, size[0]), (size[1], size[0])], float)
    back = found.inverse().points(corners)
    assert (back > -1e-6).all()
    assert (back < np.array(found.source[::-1]) + 1e-6).all()
    again = covering(found)
    assert np.allclose(again.matrix, found.matrix)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_covering_variations_bring_nothing_in(seed: int) -> None:
    labels = np.ones((30, 40), np.uint8)
    transform = draw_transform(Variation(rotate=90, cover=True), LabelMask(labels, CLASSES), seed)
    assert transform.labels(labels, 0).all()


def test_seeds_differ_and_nothing_may_change_nothing() -> None:
    mask = LabelMask(np.eye(16, dtype=np.uint8), CLASSES)
    assert len({draw_transform(Variation(), mask, seed).matrix for seed in range(20)}) == 20
    still = Variation(flip=0, rotate=0, scale=(1, 1), shift=0, shear=0)
    assert np.allclose(draw_transform(still, mask, 3).matrix, identity((16, 16)).matrix)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale": (0, 1)},
        {"scale": (2, 1)},
        {"crop": 0},
        {"flip": 2},
        {"rotate": 999},
        {"shear": 90},
    ],
)
def test_ranges_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="A variation"):
        replace(Variation(), **wrong)  # type: ignore[arg-type]


def test_transforms_that_leave_nothing() -> None:
    for scale, shear in ((0.0, 0.0), (float("nan"), 0.0), (1.0, 90.0)):
        with pytest.raises(InputError, match="Nothing is left"):
            affine((4, 4), scale=scale, shear=shear)
    with pytest.raises(InputError, match="contains no pixels"):
        crop_box((4, 4), (2, 0, 2, 4))


def test_polygons_are_clipped_to_the_canvas() -> None:
    square = np.array([(-2.0, -2.0), (3.0, -2.0), (3.0, 3.0), (-2.0, 3.0)])
    part = clip(square, 8, 8)
    assert (part.min(), part.max(), len(part)) == (0, 3, 4)
    assert rasterise(part, 8, 8).sum() == 9
    assert np.array_equal(rasterise(part, 8, 8), rasterise(square, 8, 8))
    assert clip(square - 9, 8, 8).shape == (0, 2)
    assert rasterise(clip(square * 100, 8, 6), 8, 6).all()
    assert not rasterise(clip(square - 9, 8, 8), 8, 8).any()
