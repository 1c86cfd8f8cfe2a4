"""The scene of one job, and the pictures that a server gets of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

import numpy as np
from PIL import Image

from ...core.data.labelled_image import read_pair, read_upright
from ...core.data.record import LabelledImage
from ...core.masks.compose import compose_scenes
from ...core.masks.control import draw_control
from ...core.masks.geometry import Size
from ...core.masks.label_mask import BACKGROUND, Colour, LabelMask
from ...core.masks.scene import Scene, augment_scene
from .pair_settings import Pairs

COMPRESSION = 1  # of PNG's 1 to 9


@dataclass(frozen=True)
class RenderedInputs:
    """What was drawn for a job: the PNG file of each picture field that its workflow takes, and
    the label mask that its images will have; None where that is not known."""

    files: Mapping[str, bytes]
    mask: LabelMask | None

    def name(self, field: str) -> str:
        """The file's name on servers: a hash of its content, so that equal ones go once."""
        return sha256(self.files[field]).hexdigest()[:32] + ".png"


def build_scene(
    pairs: Sequence[LabelledImage], settings: Pairs, seed: int, size: Size | None, masked: bool
) -> Scene:
    """The scene of a job: the first photo varied, and the objects of the others laid over it."""
    scenes = [read_pair(pair) if masked else _without_mask(pair) for pair in pairs]
    if len(scenes) == 1:
        return augment_scene(scenes[0], settings.variation, seed, size, settings.border)[0]
    return compose_scenes(scenes, seed, size=size, border=settings.border, below=settings.variation)


def draw_pictures(
    scene: Scene,
    fields: Collection[str],
    colours: Mapping[str, Colour],
    open_colour: Colour,
    masked: bool,
) -> RenderedInputs:
    """The files of the picture `fields` of a scene; ignored pixels of a control image have the
    `open_colour`."""
    drawings: dict[str, Callable[[], np.ndarray]] = {
        "image": lambda: _pixels(scene),
        "mask": lambda: object_mask(scene.mask),
        "labels": lambda: index_mask(scene.mask),
        "control": lambda: draw_control(scene.mask, colours, open_colour),
    }
    files = {field: _png(drawings[field]()) for field in drawings if field in fields}
    return RenderedInputs(files, scene.mask if masked else None)


def object_mask(mask: LabelMask) -> np.ndarray:
    """Bytes (height, width): 0 on background, 255 on all else, open outlines included."""
    background = -1 if mask.background is None else mask.background
    return np.where(mask.labels == background, 0, 255).astype(np.uint8)


def index_mask(mask: LabelMask) -> np.ndarray:
    """Bytes (height, width): the index of each pixel's class, 255 where nothing is said."""
    return np.where(mask.labels == mask.ignored, 255, mask.labels).astype(np.uint8)


def _without_mask(pair: LabelledImage) -> Scene:
    image = read_upright(pair.image)
    return Scene(LabelMask(np.zeros(image.shape[:2], np.uint8), (BACKGROUND,)), image)


def _pixels(scene: Scene) -> np.ndarray:
    assert scene.image is not None
    return scene.image


def _png(pixels: np.ndarray) -> bytes:
    """A PNG file in colour: ComfyUI since 2026 decodes 8-bit grey to other values than its own."""
    file = BytesIO()
    Image.fromarray(pixels).convert("RGB").save(file, format="PNG", compress_level=COMPRESSION)
    return file.getvalue()
