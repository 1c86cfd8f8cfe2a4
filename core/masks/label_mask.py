"""The value that masks are read into, which class each pixel shows, and the code of their files:
what values and colours mean there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..counted import pluralize
from ..errors import InputError

IGNORE = 255  # the index of pixels that are neither learned from nor counted
BACKGROUND = "background"
BACKGROUND_NAME, OBJECT_NAME = "background", "object"
WHITE = 255  # of black and white masks: the object
MOST_CLASSES = 254
MOST_VALUE = 2**16 - 1
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class MaskCode:
    """From the `values` of masks of one channel and the `colours` of others to indices.

    An index is a place in `classes`, or IGNORE. With a `threshold` shades of grey are black and
    white first: 255 from it on, 0 below.
    """

    classes: tuple[str, ...]
    values: Mapping[int, int]
    colours: Mapping[Colour, int]
    threshold: int | None = None

    def text(self) -> str:
        """The known values and colours in words."""
        values = [f"{value} {self.name(index)}" for value, index in self.values.items()]
        colours = [f"{colour_text(c)} {self.name(index)}" for c, index in self.colours.items()]
        threshold = [] if self.threshold is None else [f"threshold {self.threshold}"]
        return ", ".join([*values, *colours, *threshold])

    @property
    def by_colour(self) -> bool:
        """Whether files with a colour table are read by its colours, not by their indices."""
        return bool(self.colours) and not self.values

    def name(self, index: int) -> str:
        """The class of an index."""
        return "ignored" if index == IGNORE else self.classes[index]


def colour_text(colour: Sequence[int]) -> str:
    """As "#ff6000"."""
    return "#" + "".join(f"{value:02x}" for value in colour)


class EmptyMask(InputError):
    """A mask that shows background only."""


@dataclass(frozen=True, eq=False)
class LabelMask:
    """Which class each pixel shows.

    `labels` (height, width), uint8: places in `classes`, or `ignored` where nothing is said, such
    as the open outline of a trimap.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    ignored: int = IGNORE

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.labels.shape
        return height, width

    @property
    def background(self) -> int | None:
        """The class that is no object, where there is one."""
        return self.classes.index(BACKGROUND) if BACKGROUND in self.classes else None

    @property
    def outside(self) -> int:
        """What lies beyond the mask's edges: background, or nothing is said."""
        return self.ignored if self.background is None else self.background

    def visible_classes(self) -> tuple[str, ...]:
        """The classes that have a pixel, background aside: the words of a prompt."""
        return tuple(self.classes[value] for value in self.objects())

    def objects(self) -> tuple[int, ...]:
        """The values of the classes that have a pixel, background aside."""
        aside = {self.ignored, self.background}
        return tuple(value for value in np.unique(self.labels).tolist() if value not in aside)


def check_mask(mask: LabelMask, path: Path | str) -> LabelMask:
    """The mask itself. Raises EmptyMask when it shows no object."""
    if not mask.objects():
        ignored = int((mask.labels == mask.ignored).sum())
        beside = f" beside {pluralize(ignored, 'ignored pixel')}" if ignored else ""
        raise EmptyMask(
            f"The mask {path} is empty: it shows only background{beside}. Remove its image, "
            "or check how its classes are named."
        )
    return mask


class Sized(Protocol):
    """What has a size in pixels."""

    @property
    def size(self) -> tuple[int, int]: ...


def check_fits(mask: Sized, image: tuple[int, int], name: Path | str) -> None:
    """Raises InputError when an image of (height, width) pixels has another size than its mask."""
    if mask.size != image:
        (tall, wide), (height, width) = mask.size, image
        raise InputError(
            f"The mask of {name} has {wide}x{tall} pixels and its image {width}x{height}. A "
            "mask must match its image: save both at the same size."
        )
