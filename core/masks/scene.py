"""A mask with the image, control image and polygons that belong to it, moved as one."""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from .borders import with_border, without_border
from .geometry import Size, Transform
from .label_mask import LabelMask
from .objects import MaskObject, find_objects
from .polygons import clip
from .variation import Variation, draw_transform


@dataclass(frozen=True, eq=False)
class Scene:
    """`image` and `control` have bytes (height, width, 3), `polygons` places (n, 2), x and y;
    one that left the canvas stays in the list with no place."""

    mask: LabelMask
    image: np.ndarray | None = None
    control: np.ndarray | None = None
    polygons: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        for name, pixels in (("image", self.image), ("control image", self.control)):
            if pixels is not None and pixels.shape != (*self.mask.size, 3):
                (tall, wide), (height, width) = self.mask.size, pixels.shape[:2]
                raise InputError(
                    f"The mask has {wide}x{tall} pixels and its {name} {width}x{height}: "
                    "they must match."
                )

    def objects(self, parts: bool = False) -> tuple[MaskObject, ...]:
        """The objects of the mask with their boxes and areas."""
        return find_objects(self.mask, parts)


def transform_scene(scene: Scene, transform: Transform) -> Scene:
    """All of a scene under one transform; polygons are cut at the canvas's edges."""
    return Scene(
        transform.mask(scene.mask),
        None if scene.image is None else transform.image(scene.image),
        None if scene.control is None else transform.control(scene.control),
        tuple(clip(transform.points(polygon), *transform.size) for polygon in scene.polygons),
    )


def augment_scene(
    scene: Scene,
    variation: Variation,
    seed: int,
    size: Size | None = None,
    border: int | None = None,
) -> tuple[Scene, Transform]:
    """A scene under a transform drawn from `seed`, and that transform.

    `border`: the open outline is drawn anew, so many pixels wide on either side, instead of
    growing and shrinking with its object; None leaves it. Labels then differ from a control image
    that merely moved: draw that from the new mask, `draw_control`. Raises InputError for both.
    """
    if border is not None and scene.control is not None:
        raise InputError("With a new border, draw the control image from the varied mask.")
    if border is None:
        transform = draw_transform(variation, scene.mask, seed, size)
        return transform_scene(scene, transform), transform
    labels, ignored = scene.mask.labels, scene.mask.ignored
    closed = replace(scene.mask, labels=without_border(labels, ignored))
    transform = draw_transform(variation, closed, seed, size)
    new = transform_scene(replace(scene, mask=closed), transform)
    redrawn = with_border(new.mask.labels, border, ignored)
    return replace(new, mask=replace(new.mask, labels=redrawn)), transform
