"""Masks, scenes and transforms for properties."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from manyshot.core.masks.control import draw_control
from manyshot.core.masks.geometry import (
    affine,
)
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.objects import bounding_box
from manyshot.core.masks.scene import Scene

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
    left, top, right, bottom = bounding_box(mask) or (0, 0, 0, 0)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def scene_of(mask: LabelMask) -> Scene:
    image = np.repeat(100 * (mask.labels == 1)[..., None], 3, axis=2).astype(np.uint8)
    return Scene(mask, image, draw_control(mask), (polygon_of(mask.labels == 2),))
