"""Scenes moved as one, varied with their borders, and laid over each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from manyshot.core.errors import InputError
from manyshot.core.masks.borders import with_border
from manyshot.core.masks.compose import compose_scenes, join_classes
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.objects import bounding_box
from manyshot.core.masks.polygons import rasterise
from manyshot.core.masks.scene import Scene, augment_scene, transform_scene
from manyshot.core.masks.variation import Variation, draw_transform

from ..support.mask_strategies import CLASSES, SEEDS, masks, scene_of


@settings(max_examples=60, deadline=None)
@given(masks(), SEEDS)
def test_all_of_a_scene_moves_together(mask: LabelMask, seed: int) -> None:
    scene = scene_of(mask)
    transform = draw_transform(Variation(shear=15, rotate=60, crop=0.7), mask, seed)
    found = transform_scene(scene, transform)
    assert found.image is not None
    assert found.control is not None
    outside = transform.labels(np.ones_like(mask.labels), 0) == 0
    assert np.array_equal(found.control, np.where(outside[..., None], 0, draw_control(found.mask)))
    # Bilinear pixels lie on the object's side of the middle where nearest neighbours say so.
    clear = (found.image[..., 0] > 95) | (found.image[..., 0] < 5)
    same = (found.image[..., 0] > 50) == (found.mask.labels == 1)
    assert same[clear & ~outside].mean() > 0.99 if (clear & ~outside).any() else True
    # A rectangle along pixels, as polygon and as mask: the same pixels, ties at its edge aside
    # and an ignored speck within.
    said = found.mask.labels != IGNORE
    drawn_again = rasterise(found.polygons[0], *found.mask.size)
    assert ((drawn_again != (found.mask.labels == 2)) & said).sum() <= 2
    for one in found.objects():
        assert one.box == bounding_box(found.mask.labels == one.value)
        left, top, right, bottom = transform.box(
            bounding_box(mask.labels == one.value) or (0, 0, 0, 0)
        )
        assert left <= one.box[0]
        assert top <= one.box[1]
        assert right >= one.box[2]
        assert bottom >= one.box[3]
        assert one.area == (found.mask.labels == one.value).sum()


def test_an_image_of_another_size_is_refused() -> None:
    mask = LabelMask(np.zeros((4, 5), np.uint8), CLASSES)
    with pytest.raises(InputError, match="mask has 5x4 pixels and its image 4x5"):
        Scene(mask, np.zeros((5, 4, 3), np.uint8))


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_a_trimap_is_varied_with_a_border_of_one_width(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[12:36, 12:36] = 1
    scene = Scene(LabelMask(with_border(labels, 3, IGNORE), CLASSES))
    found, transform = augment_scene(scene, Variation(), seed, (60, 50), border=2)
    whole = transform.labels(labels, 0)
    assert np.array_equal(found.mask.labels, with_border(whole, 2, IGNORE))
    plain, same = augment_scene(scene, Variation(), seed, (60, 50))
    assert np.array_equal(plain.mask.labels, same.labels(scene.mask.labels, 0))
    with pytest.raises(InputError, match="draw the control image"):
        augment_scene(replace(scene, control=draw_control(scene.mask)), Variation(), seed, border=2)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_objects_are_laid_over_each_other(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[14:34, 14:34] = 1
    scenes = [scene_of(LabelMask(labels, ("background", name))) for name in ("cat", "dog", "cat")]
    found = compose_scenes(scenes, seed, size=(48, 64))
    assert found.mask.classes == CLASSES
    assert found.mask.size == (48, 64)
    assert found.image is not None
    assert found.image.shape == (48, 64, 3)
    assert ((found.image[..., 0] > 50) == (found.mask.labels > 0)).mean() > 0.95
    first = np.zeros((48, 64), bool)
    first[14:34, 22:42] = True
    assert (found.mask.labels[first] == 1).mean() >= 0.7  # at least, the third is a cat as well
    again = compose_scenes(scenes, seed, size=(48, 64))
    assert np.array_equal(again.mask.labels, found.mask.labels)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_new_border_is_drawn_around_all_that_is_composed(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[14:34, 14:34] = 1
    closed = [Scene(LabelMask(labels, ("background", name))) for name in ("cat", "dog")]
    opened = [
        replace(scene, mask=replace(scene.mask, labels=with_border(labels, 3, IGNORE)))
        for scene in closed
    ]
    wanted = with_border(compose_scenes(closed, seed).mask.labels, 1, IGNORE)
    for scenes in (closed, opened):
        assert np.array_equal(compose_scenes(scenes, seed, border=1).mask.labels, wanted)
    drawn_over = [replace(scene, control=draw_control(scene.mask)) for scene in closed]
    with pytest.raises(InputError, match="draw the control image"):
        compose_scenes(drawn_over, seed, border=1)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_first_scene_is_varied_before_anything_covers_it(seed: int) -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[14:34, 14:34] = 1
    outlined = with_border(labels, 2, IGNORE)
    photo = np.repeat(100 * labels[..., None], 3, axis=2)
    scenes = [Scene(LabelMask(outlined, ("background", name)), photo) for name in ("cat", "dog")]
    below = Variation(rotate=40, shift=0.2)
    found = compose_scenes(scenes, seed, size=(40, 56), border=1, below=below)
    closed = replace(scenes[0], mask=replace(scenes[0].mask, labels=labels))
    first, _ = augment_scene(closed, below, seed, (40, 56))
    wanted = compose_scenes([first, scenes[1]], seed, border=1)
    assert np.array_equal(found.mask.labels, wanted.mask.labels)
    assert found.image is not None
    assert wanted.image is not None
    assert np.array_equal(found.image, wanted.image)


def test_several_objects_are_composed_and_classes_joined_by_name() -> None:
    labels = np.zeros((48, 48), np.uint8)
    labels[16:32, 16:32] = 1
    pets = [Scene(LabelMask(labels, ("background", name))) for name in ("cat", "dog", "bird")]
    found = [compose_scenes(pets, seed).mask for seed in range(12)]
    assert sum(len(mask.visible_classes()) for mask in found) > 24
    near = Variation(rotate=0, scale=(1, 1), shear=0, shift=0.05, visible=0.7)
    for seed in range(6):  # the others would cover the first, so they are left out
        assert compose_scenes(pets, seed, near).mask.visible_classes() == ("cat",)
    assert join_classes([LabelMask(labels, ("a", "background")), found[0]]) == (
        "background",
        "a",
        "cat",
        "dog",
        "bird",
    )
    with pytest.raises(InputError, match="Nothing to compose"):
        compose_scenes([], 0)
