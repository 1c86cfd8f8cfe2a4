"""Image, control image, mask, box and polygon move together, exactly, and stay in sight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.errors import InputError
from manyshot.core.masks.borders import rebordered, with_border, without_border
from manyshot.core.masks.codes import IGNORE
from manyshot.core.masks.components import components
from manyshot.core.masks.compose import composed, joined_classes
from manyshot.core.masks.control import drawn
from manyshot.core.masks.geometry import (
    Transform,
    affine,
    covering,
    cropped,
    fitted,
    mirrored,
    unchanged,
    upside_down,
)
from manyshot.core.masks.objects import box_of, objects_of
from manyshot.core.masks.polygons import clipped, rasterised
from manyshot.core.masks.read import LabelMask
from manyshot.core.masks.scene import Scene, moved, varied
from manyshot.core.masks.variation import Variation, drawn_transform, visible_share

CLASSES = ("background", "cat", "dog")
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.tuples(st.integers(1, 24), st.integers(1, 24))
TURNS = st.builds(
    affine,
    st.tuples(st.integers(16, 48), st.integers(16, 48)),
    rotate=st.floats(-180, 180),
    scale=st.floats(0.4, 2.5),
    shift=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    shear=st.floats(-30, 30),
)


@st.composite
def masks(draw: st.DrawFn) -> LabelMask:
    """Two rectangles of two classes, the second over the first, with ignored specks."""
    height, width = draw(st.tuples(st.integers(12, 40), st.integers(12, 40)))
    labels = np.zeros((height, width), np.uint8)
    for value in (1, 2):
        top, left = draw(st.integers(0, height - 4)), draw(st.integers(0, width - 4))
        tall, wide = draw(st.integers(4, height - top)), draw(st.integers(4, width - left))
        labels[top : top + tall, left : left + wide] = value
    assume((labels == 1).any())
    labels[0, draw(st.integers(0, width - 1))] = IGNORE
    return LabelMask(labels, CLASSES)


def polygon_of(mask: np.ndarray) -> np.ndarray:
    left, top, right, bottom = box_of(mask) or (0, 0, 0, 0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def scene_of(mask: LabelMask) -> Scene:
    image = np.repeat(100 * (mask.labels == 1)[..., None], 3, axis=2).astype(np.uint8)
    return Scene(mask, image, drawn(mask), (polygon_of(mask.labels == 2),))


@settings(max_examples=60, deadline=None)
@given(masks(), SEEDS)
def test_all_of_a_scene_moves_together(mask: LabelMask, seed: int) -> None:
    scene = scene_of(mask)
    transform = drawn_transform(Variation(shear=15, rotate=60, crop=0.7), mask, seed)
    found = moved(scene, transform)
    assert found.image is not None
    assert found.control is not None
    outside = transform.labels(np.ones_like(mask.labels), 0) == 0
    assert np.array_equal(found.control, np.where(outside[..., None], 0, drawn(found.mask)))
    # Bilinear pixels lie on the object's side of the middle where nearest neighbours say so.
    clear = (found.image[..., 0] > 95) | (found.image[..., 0] < 5)
    same = (found.image[..., 0] > 50) == (found.mask.labels == 1)
    assert same[clear & ~outside].mean() > 0.99 if (clear & ~outside).any() else True
    # A rectangle along pixels, as polygon and as mask: the same pixels, ties at its edge aside
    # and an ignored speck within.
    said = found.mask.labels != IGNORE
    drawn_again = rasterised(found.polygons[0], *found.mask.size)
    assert ((drawn_again != (found.mask.labels == 2)) & said).sum() <= 2
    for one in found.objects():
        assert one.box == box_of(found.mask.labels == one.value)
        left, top, right, bottom = transform.box(box_of(mask.labels == one.value) or (0, 0, 0, 0))
        assert left <= one.box[0]
        assert top <= one.box[1]
        assert right >= one.box[2]
        assert bottom >= one.box[3]
        assert one.area == (found.mask.labels == one.value).sum()


@settings(max_examples=60, deadline=None)
@given(TURNS, st.lists(st.tuples(st.floats(2, 40), st.floats(2, 40)), min_size=3, max_size=7))
def test_polygons_and_their_masks_part_at_the_outline_only(
    transform: Transform, places: list[tuple[float, float]]
) -> None:
    points = np.array(places)
    mask = rasterised(points, *transform.source)
    by_mask = transform.labels(mask.astype(np.uint8), 0) == 1
    by_points = rasterised(transform.points(points), *transform.size)
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
    mask = transform.labels(rasterised(points, *transform.source).astype(np.uint8), 0) == 1
    polygon = rasterised(transform.points(points), *transform.size)
    assume(polygon.sum() > 40)
    assert (mask & polygon).sum() / (mask | polygon).sum() > 0.7


@settings(max_examples=60, deadline=None)
@given(TURNS, arrays(float, (5, 2), elements=st.floats(-50, 50)))
def test_the_inverse_brings_places_back(transform: Transform, points: np.ndarray) -> None:
    assert np.allclose(transform.inverse().points(transform.points(points)), points, atol=1e-8)
    both = transform.then(transform.inverse())
    assert both.size == both.source == transform.source
    assert np.allclose(both.matrix, unchanged(both.size).matrix, atol=1e-9)


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
    same, left, down = unchanged(size), mirrored(size), upside_down(size)
    square = affine((size[0], size[0]), rotate=90)
    for transform, found in ((same, image), (left, image[:, ::-1]), (down, image[::-1])):
        assert np.array_equal(transform.image(image), found)
        assert np.array_equal(transform.control(image), found)
    assert np.array_equal(left.labels(labels, 0), labels[:, ::-1])
    assert np.array_equal(left.inverse().labels(left.labels(labels, 0), 0), labels)
    assert left.then(left).matrix == same.matrix
    tile = np.resize(labels, (size[0], size[0]))
    assert np.array_equal(square.labels(tile, 0), np.rot90(tile, -1))  # clockwise
    box = (-1, 0, size[1], size[0] + 2)
    part = cropped(size, box).labels(labels, 7)
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
    transform = fitted(size, wanted)
    corners = transform.points(np.array([(0.0, 0.0), (size[1], size[0])]))
    assert (corners >= -1e-9).all()
    assert (corners <= np.array([wanted[1], wanted[0]]) + 1e-9).all()
    labels = np.arange(size[0] * size[1]).reshape(size).astype(np.uint16)
    assert set(np.unique(transform.labels(labels, 0))) == set(np.unique(labels))


@settings(max_examples=60, deadline=None)
@given(masks(), SEEDS)
def test_a_seed_draws_one_transform_and_objects_stay_in_sight(mask: LabelMask, seed: int) -> None:
    wild = Variation(rotate=180, scale=(0.3, 4), shift=1, shear=40, crop=0.3, visible=0.6)
    transform = drawn_transform(wild, mask, seed, (20, 28))
    assert transform == drawn_transform(wild, mask, seed, (20, 28))
    assert (transform.source, transform.size) == (mask.size, (20, 28))
    for one in objects_of(mask):
        assert visible_share(transform, one.mask) >= 0.6


@settings(max_examples=60, deadline=None)
@given(TURNS, SIZES)
def test_a_covering_transform_leaves_no_gap(transform: Transform, size: tuple[int, int]) -> None:
    found = covering(transform.then(fitted(transform.size, size)))
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
    transform = drawn_transform(Variation(rotate=90, cover=True), LabelMask(labels, CLASSES), seed)
    assert transform.labels(labels, 0).all()


def test_seeds_differ_and_nothing_may_change_nothing() -> None:
    mask = LabelMask(np.eye(16, dtype=np.uint8), CLASSES)
    assert len({drawn_transform(Variation(), mask, seed).matrix for seed in range(20)}) == 20
    still = Variation(flip=0, rotate=0, scale=(1, 1), shift=0, shear=0)
    assert np.allclose(drawn_transform(still, mask, 3).matrix, unchanged((16, 16)).matrix)


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
    with pytest.raises(InputError, match="holds no pixel"):
        cropped((4, 4), (2, 0, 2, 4))


def test_an_image_of_another_size_is_refused() -> None:
    mask = LabelMask(np.zeros((4, 5), np.uint8), CLASSES)
    with pytest.raises(InputError, match="mask has 5x4 pixels and its image 4x5"):
        Scene(mask, np.zeros((5, 4, 3), np.uint8))


@settings(max_examples=60, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14))), st.booleans())
def test_components_are_those_of_scipy(mask: np.ndarray, diagonal: bool) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    wanted, many = ndimage.label(mask, np.ones((3, 3)) if diagonal else None)
    found, count = components(mask, diagonal)
    assert count == many
    assert len(set(zip(found.ravel().tolist(), wanted.ravel().tolist(), strict=True))) == (
        count + (not mask.all())
    )


def test_parts_are_objects_of_their_own() -> None:
    labels = np.array([[1, 0, 2], [1, 0, 0], [0, 0, 2]], np.uint8)
    found = objects_of(LabelMask(labels, CLASSES), parts=True)
    assert [(one.class_name, one.box, one.area) for one in found] == [
        ("cat", (0, 0, 1, 2), 2),
        ("dog", (2, 0, 3, 1), 1),
        ("dog", (2, 2, 3, 3), 1),
    ]
    assert len(objects_of(LabelMask(labels, CLASSES), parts=True, least=2)) == 1
    assert objects_of(LabelMask(labels * 0, CLASSES)) == ()


@settings(max_examples=60, deadline=None)
@given(masks(), st.integers(1, 3))
def test_a_border_is_as_wide_as_asked(mask: LabelMask, width: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    labels = np.where(mask.labels == IGNORE, 0, mask.labels)
    found = with_border(labels, width, IGNORE)
    around = {"size": 2 * width + 1, "mode": "nearest"}
    edge = ndimage.maximum_filter(labels, **around) != ndimage.minimum_filter(labels, **around)
    assert np.array_equal(found == IGNORE, edge)
    assert np.array_equal(found[~edge], labels[~edge])


def test_borders_are_taken_away_and_drawn_anew_after_scaling() -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 10:30] = 1
    thin = with_border(labels, 1, IGNORE)
    assert np.array_equal(without_border(thin, IGNORE), labels)
    large = affine((40, 40), scale=1.5).labels(thin, 0)
    assert (large[20] == IGNORE).sum() == 6  # the border grew with the object
    again = rebordered(large, 1, IGNORE)
    assert (again[20] == IGNORE).sum() == 4
    assert box_of(without_border(again, IGNORE) == 1) == (5, 5, 35, 35)
    deep = np.full((20, 20), IGNORE, np.uint8)
    deep[:, :3] = 1
    assert (without_border(deep, IGNORE, 4) == 1).sum() == 20 * 7
    assert (without_border(deep, IGNORE) == 1).all()
    nothing = np.full((3, 3), IGNORE, np.uint8)
    assert (without_border(nothing, IGNORE) == IGNORE).all()


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_a_trimap_is_varied_with_a_border_of_one_width(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[12:36, 12:36] = 1
    scene = Scene(LabelMask(with_border(labels, 3, IGNORE), CLASSES))
    found, transform = varied(scene, Variation(), seed, (60, 50), border=2)
    whole = transform.labels(labels, 0)
    assert np.array_equal(found.mask.labels, with_border(whole, 2, IGNORE))
    plain, same = varied(scene, Variation(), seed, (60, 50))
    assert np.array_equal(plain.mask.labels, same.labels(scene.mask.labels, 0))
    with pytest.raises(InputError, match="draw the control image"):
        varied(replace(scene, control=drawn(scene.mask)), Variation(), seed, border=2)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_objects_are_laid_over_each_other(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[14:34, 14:34] = 1
    scenes = [scene_of(LabelMask(labels, ("background", name))) for name in ("cat", "dog", "cat")]
    found = composed(scenes, seed, size=(48, 64))
    assert found.mask.classes == CLASSES
    assert found.mask.size == (48, 64)
    assert found.image is not None
    assert found.image.shape == (48, 64, 3)
    assert ((found.image[..., 0] > 50) == (found.mask.labels > 0)).mean() > 0.95
    first = np.zeros((48, 64), bool)
    first[14:34, 22:42] = True
    assert (found.mask.labels[first] == 1).mean() >= 0.7  # at least, the third is a cat as well
    again = composed(scenes, seed, size=(48, 64))
    assert np.array_equal(again.mask.labels, found.mask.labels)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_new_border_is_drawn_around_all_that_is_composed(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[14:34, 14:34] = 1
    closed = [Scene(LabelMask(labels, ("background", name))) for name in ("cat", "dog")]
    opened = [
        replace(scene, mask=replace(scene.mask, labels=rebordered(labels, 3, IGNORE)))
        for scene in closed
    ]
    wanted = with_border(composed(closed, seed).mask.labels, 1, IGNORE)
    for scenes in (closed, opened):
        assert np.array_equal(composed(scenes, seed, border=1).mask.labels, wanted)
    drawn_over = [replace(scene, control=drawn(scene.mask)) for scene in closed]
    with pytest.raises(InputError, match="draw the control image"):
        composed(drawn_over, seed, border=1)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_first_scene_is_varied_before_anything_covers_it(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[14:34, 14:34] = 1
    outlined = rebordered(labels, 2, IGNORE)
    photo = np.repeat(100 * labels[..., None], 3, axis=2)
    scenes = [Scene(LabelMask(outlined, ("background", name)), photo) for name in ("cat", "dog")]
    below = Variation(rotate=40, shift=0.2)
    found = composed(scenes, seed, size=(40, 56), border=1, below=below)
    closed = replace(scenes[0], mask=replace(scenes[0].mask, labels=labels))
    first, _ = varied(closed, below, seed, (40, 56))
    wanted = composed([first, scenes[1]], seed, border=1)
    assert np.array_equal(found.mask.labels, wanted.mask.labels)
    assert found.image is not None
    assert wanted.image is not None
    assert np.array_equal(found.image, wanted.image)


def test_several_objects_are_composed_and_classes_joined_by_name() -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[16:32, 16:32] = 1
    pets = [Scene(LabelMask(labels, ("background", name))) for name in ("cat", "dog", "bird")]
    found = [composed(pets, seed).mask for seed in range(12)]
    assert sum(len(mask.shown()) for mask in found) > 24
    near = Variation(rotate=0, scale=(1, 1), shear=0, shift=0.05, visible=0.7)
    for seed in range(6):  # the others would cover the first, so they are left out
        assert composed(pets, seed, near).mask.shown() == ("cat",)
    assert joined_classes([LabelMask(labels, ("a", "background")), found[0]]) == (
        "background",
        "a",
        "cat",
        "dog",
        "bird",
    )
    with pytest.raises(InputError, match="Nothing to compose"):
        composed([], 0)


def test_polygons_are_clipped_to_the_canvas() -> None:
    square = np.array([(-2.0, -2.0), (3.0, -2.0), (3.0, 3.0), (-2.0, 3.0)])
    part = clipped(square, 8, 8)
    assert (part.min(), part.max(), len(part)) == (0, 3, 4)
    assert rasterised(part, 8, 8).sum() == 9
    assert np.array_equal(rasterised(part, 8, 8), rasterised(square, 8, 8))
    assert clipped(square - 9, 8, 8).shape == (0, 2)
    assert rasterised(clipped(square * 100, 8, 6), 8, 6).all()
    assert not rasterised(clipped(square - 9, 8, 8), 8, 8).any()
