"""Label masks from a dataset's own files: index, palette, colour and alpha PNGs, trimaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from ..counted import pluralize
from ..errors import InputError
from ..images import open_image
from .codes import IGNORE, Colour, MaskCode, colour_text, trimap_code
from .conventions import IN_TABLE, infer_code
from .raw import read_indices

BACKGROUND = "background"


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


def read_mask(path: Path, code: MaskCode | None = None) -> LabelMask:
    """The mask in a file of one channel (8 or 16 bits), with a colour table, or in colours.

    Of a colour table the indices count, unless `code` knows colours alone. Without `code` the
    file's own values decide, as conventions.py says; for a dataset, take the code of all its files
    by `set_code.set_code`. Raises InputError, naming the file: unreadable, a value or colour that
    `code` lacks (with the nearest), nothing but background.
    """
    code = infer_code([path], IN_TABLE) if code is None else code
    return check_mask(LabelMask(read_indices(path, code), code.classes), path)


def read_trimap(path: Path, class_name: str) -> LabelMask:
    """An Oxford-IIIT Pet trimap: background, `class_name`, and the border ignored."""
    return read_mask(path, trimap_code(class_name))


def read_alpha(path: Path, class_name: str = "object", least: float = 0.5) -> LabelMask:
    """`class_name` where an image is at least so opaque (0 to 1), background elsewhere.

    Raises InputError for an image without an alpha channel, and for one that is clear all over.
    """
    image = open_image(path)
    if not image.has_transparency_data:
        raise InputError(f"The image {path} has no alpha channel to take its mask from.")
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    return check_mask(
        LabelMask((alpha >= 255 * least).astype(np.uint8), (BACKGROUND, class_name)), path
    )


def colour_code(colours: Mapping[str, Colour], ignored: Colour | None = None) -> MaskCode:
    """The code of masks in colours, from a class -> colour table.

    Raises InputError when two classes have one colour.
    """
    table: dict[Colour, int] = {}
    for index, (name, colour) in enumerate(colours.items()):
        if colour in table:
            other = list(colours)[table[colour]]
            raise InputError(
                f"{colour_text(colour)} stands for both {other!r} and {name!r}; it can "
                "mean only one."
            )
        table[colour] = index
    if ignored is not None:
        table[ignored] = IGNORE
    return MaskCode(tuple(colours), {}, table)


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
