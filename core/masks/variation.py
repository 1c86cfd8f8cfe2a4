"""New geometry for a mask and all that goes with it, drawn from a seed; objects stay visible."""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .geometry import Size, Transform, affine, covering, fit_canvas, identity, mirror
from .label_mask import LabelMask
from .objects import MaskObject, find_objects

TRIES = 24
TRIES_EACH = 4  # after so many the ranges are halved


@dataclass(frozen=True)
class Variation:
    """What may change, and how much.

    `flip`: chance to be mirrored; `rotate` and `shear`: at most so many degrees either way;
    `scale`: from, to; `shift`: at most such a share of the side; `crop`: the least share of the
    side that is kept; `visible`: the least share of each object's area that stays on the canvas.
    """

    flip: float = 0.5
    rotate: float = 15.0
    scale: tuple[float, float] = (0.8, 1.25)
    shift: float = 0.1
    shear: float = 5.0
    crop: float = 1.0
    visible: float = 0.7
    cover: bool = False

    def __post_init__(self) -> None:
        low, high = self.scale
        if not 0 < low <= high or not 0 < self.crop <= 1:
            raise InputError("A variation needs 0 < scale from <= to, and a crop above 0 up to 1.")
        if not (0 <= self.flip <= 1 and 0 <= self.visible <= 1 and 0 <= self.shift <= 1):
            raise InputError("A variation's flip, visible and shift lie between 0 and 1.")
        if not (0 <= self.rotate <= 180 and 0 <= self.shear < 90):
            raise InputError("A variation turns up to 180 degrees and shears less than 90.")


def draw_transform(
    variation: Variation, mask: LabelMask, seed: int, size: Size | None = None
) -> Transform:
    """One transform for a mask and all that belongs to it, onto a canvas of `size` (its own).

    The same seed gives the same one. Where objects would leave the canvas it is drawn again, from
    ever smaller ranges; the last resort is the whole source, mirrored or
    not, and with bars where the canvas has other proportions.
    """
    rng = np.random.default_rng(seed)
    fit = identity(mask.size) if size is None else fit_canvas(mask.size, size)
    start = mirror(mask.size).then(fit) if rng.random() < variation.flip else fit
    objects = find_objects(mask)
    for attempt in range(TRIES):
        transform = start.then(_move(variation, fit.size, 0.5 ** (attempt // TRIES_EACH), rng))
        transform = covering(transform) if variation.cover else transform
        if all(_is_visible(transform, item, variation.visible) for item in objects):
            return transform
    return start


def _move(variation: Variation, size: Size, strength: float, rng: np.random.Generator) -> Transform:
    """Turned, scaled, shifted and cropped within ranges that `strength` (0 to 1) narrows."""
    low, high = np.log(variation.scale) * strength
    side_share = rng.uniform(1 - (1 - variation.crop) * strength, 1.0)
    place = rng.uniform(-0.5, 0.5, 2) * (
        1 - side_share
    )  # of the crop's middle, in shares of the side
    reach = variation.shift * strength
    shift = rng.uniform(-reach, reach, 2)
    moved = affine(
        size,
        rotate=rng.uniform(-1, 1) * variation.rotate * strength,
        scale=float(np.exp(rng.uniform(low, high))),
        shift=(float(shift[0]), float(shift[1])),
        shear=rng.uniform(-1, 1) * variation.shear * strength,
    )
    zoom = affine(
        size, scale=1 / side_share, shift=(-place[0] / side_share, -place[1] / side_share)
    )
    return moved.then(zoom)


def visible_share(transform: Transform, mask: np.ndarray) -> float:
    """The share of a bool mask's pixels whose centres stay on the canvas."""
    rows, columns = np.nonzero(mask)
    x, y = transform.points(np.stack([columns, rows], axis=1) + 0.5).T
    height, width = transform.size
    return float(((x >= 0) & (x < width) & (y >= 0) & (y < height)).mean())


def _is_visible(transform: Transform, item: MaskObject, least: float) -> bool:
    """Enough of the object stays, and it is not made so small that no pixel shows it."""
    if visible_share(transform, item.mask) < least:
        return False
    return bool(transform.labels(item.mask, 0).any())
