"""Several objects on one canvas: each moved on its own, laid over the others with its label."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InputError
from .borders import with_border, without_border
from .geometry import Size, fit_canvas
from .label_mask import BACKGROUND, LabelMask
from .scene import Scene, augment_scene, transform_scene
from .variation import Variation, draw_transform

TRIES = 20
MANY = Variation(rotate=15, scale=(0.4, 0.7), shift=0.35, visible=0.7)


@dataclass(frozen=True, eq=False)
class _Laid:
    """A scene so far, and of each object what shows (bool masks) and its area before any cover."""

    scene: Scene
    shown: tuple[np.ndarray, ...]
    areas: tuple[int, ...]


def compose_scenes(
    scenes: Sequence[Scene],
    seed: int,
    variation: Variation = MANY,
    size: Size | None = None,
    border: int | None = None,
    below: Variation | None = None,
) -> Scene:
    """The objects of further scenes over the first, which is varied by `below`, or only fitted to
    `size`.

    Later objects lie on top, open outlines included; of each object below, `variation.visible` of
    its area stays in sight, and a scene that finds no such place is left out. Classes are joined
    by name. There is an image, or a control image, where all scenes have one. Polygons are
    dropped, for they would tell of what is covered. `border`: all open outlines are drawn anew, so
    many pixels wide on either side. Raises InputError without a scene, and for a border beside
    control images, which would keep the old one.
    """
    if not scenes:
        raise InputError("Nothing to compose: pass at least one scene.")
    if border is not None:
        if any(scene.control is not None for scene in scenes):
            raise InputError("With a new border, draw the control image from the composed mask.")
        closed = [_relabel(scene, without_border) for scene in scenes]
        scene = compose_scenes(closed, seed, variation, size, below=below)
        return _relabel(scene, lambda labels, ignored: with_border(labels, border, ignored))
    if below is not None:
        scenes = [augment_scene(scenes[0], below, seed, size)[0], *scenes[1:]]
    classes = join_classes([scene.mask for scene in scenes])
    ready = [_recode_scene(scene, classes, scenes) for scene in scenes]
    canvas = ready[0].mask.size
    laid = _first(transform_scene(ready[0], fit_canvas(canvas, size or canvas)))
    for child, scene in zip(
        np.random.SeedSequence(seed).spawn(len(ready)), ready[1:], strict=False
    ):
        laid = _with(laid, scene, variation, child)
    return laid.scene


def join_classes(masks: Sequence[LabelMask]) -> tuple[str, ...]:
    """All classes of several masks, each once, background first."""
    return join_names([mask.classes for mask in masks])


def join_names(classes: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """All names of several lists of classes, each once, background first."""
    names = dict.fromkeys(name for listed in classes for name in listed)
    return tuple(sorted(names, key=lambda name: name != BACKGROUND))


def recode(mask: LabelMask, classes: tuple[str, ...]) -> LabelMask:
    """The same mask by the places of its classes in `classes`, which has them all."""
    table = np.full(256, mask.ignored, np.uint8)
    table[: len(mask.classes)] = [classes.index(name) for name in mask.classes]
    table[mask.ignored] = mask.ignored
    return LabelMask(table[mask.labels], classes, mask.ignored)


def _relabel(scene: Scene, change: Callable[[np.ndarray, int], np.ndarray]) -> Scene:
    labels = change(scene.mask.labels, scene.mask.ignored)
    return replace(scene, mask=replace(scene.mask, labels=labels))


def _recode_scene(scene: Scene, classes: tuple[str, ...], scenes: Sequence[Scene]) -> Scene:
    image = scene.image if all(layer.image is not None for layer in scenes) else None
    control = scene.control if all(layer.control is not None for layer in scenes) else None
    return Scene(recode(scene.mask, classes), image, control)


def _first(scene: Scene) -> _Laid:
    shown = tuple(shape.mask for shape in scene.objects())
    return _Laid(scene, shown, tuple(int(mask.sum()) for mask in shown))


def _with(
    below: _Laid, scene: Scene, variation: Variation, source: np.random.SeedSequence
) -> _Laid:
    size = below.scene.mask.size
    for seed in source.generate_state(TRIES).tolist():
        piece = transform_scene(scene, draw_transform(variation, scene.mask, seed, size))
        cut = piece.mask.labels != piece.mask.outside
        visible = tuple(mask & ~cut for mask in below.shown)
        shares = [mask.sum() / area for mask, area in zip(visible, below.areas, strict=True)]
        if all(share >= variation.visible and share > 0 for share in shares):
            layer = _first(piece)
            laid = _over(below.scene, piece, cut)
            return _Laid(laid, (*visible, *layer.shown), (*below.areas, *layer.areas))
    return below


def _over(below: Scene, piece: Scene, cut: np.ndarray) -> Scene:
    labels = np.where(cut, piece.mask.labels, below.mask.labels)
    mask = LabelMask(labels, below.mask.classes, below.mask.ignored)
    image, control = (
        None if under is None or over is None else np.where(cut[..., None], over, under)
        for under, over in ((below.image, piece.image), (below.control, piece.control))
    )
    return Scene(mask, image, control)
