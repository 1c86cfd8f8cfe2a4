"""What values a mask file without names holds, how many pixels have each, and where these lie."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import InputError
from ..images import open_image_file
from ..palettes import BACKGROUND, BORDER, PET
from .label_mask import WHITE, Colour, colour_text
from .raw import grey, read_raw

TOUCHING = 0.05  # of the outline of a trimap's pet: more of it without a border is no trimap


@dataclass(frozen=True)
class MaskValues:
    """The values of one file.

    `pixels`: how many have each value. `blocks`: how many of these lie in a square of 2 x 2 pixels
    of that value, where values beside 0 and 255 occur. `between`: how many lie strictly between the
    least and the greatest value of the 3 x 3 pixels around them. `colours`: those of a colour table
    by index. `lossy`: the file's compression changes values. `outlined`: 3 lies between 1 and 2, as
    a trimap's border does.
    """

    path: Path
    pixels: Mapping[int, int]
    blocks: Mapping[int, int] = field(default_factory=dict)
    between: Mapping[int, int] = field(default_factory=dict)
    colours: Mapping[int, Colour] = field(default_factory=dict)
    lossy: bool = False
    outlined: bool = False

    @property
    def text(self) -> str:
        """The file with its values, as "a.png (0, 255)"."""
        return f"{self.path.name} ({listing(self.pixels)})"


def all_values(paths: list[Path], place: str) -> list[MaskValues]:
    """The values of each file. Raises InputError as `mask_values` does."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda path: mask_values(path, place), paths))


def mask_values(path: Path, place: str) -> MaskValues:
    """The values of one file. Raises InputError: unreadable, or in colours, which `place` can say
    the meaning of."""
    raw = read_raw(path)
    with open_image_file(path, "mask") as file:
        lossy = file.format in ("JPEG", "MPO")
        colours = _colour_table(file) if file.mode == "P" else {}
    values = grey(raw)
    if values is None:
        raise InputError(
            f"The mask {path} is in colour ({_some_colours(raw)}). Say in {place} what each "
            "colour means, as in cat: '#ff6000'."
        )
    unique, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    pixels = dict(zip(unique.tolist(), counts.tolist(), strict=True))
    used = {value: colour for value, colour in colours.items() if value in pixels}
    if set(pixels) <= {0, WHITE}:
        return MaskValues(path, pixels, colours=used, lossy=lossy)

    def count_pixels(here: np.ndarray) -> dict[int, int]:
        sums = np.bincount(places.ravel()[here.ravel()], minlength=len(unique))
        return dict(zip(unique.tolist(), sums.tolist(), strict=True))

    between = count_pixels(_between(values)) if len(unique) > 2 else {}
    outlined = set(pixels) == {PET, BACKGROUND, BORDER} and _is_outlined(values)
    return MaskValues(
        path, pixels, count_pixels(_in_blocks(values)), between, used, lossy, outlined
    )


def listing(values: Mapping[int, int] | list[int], most: int = 8) -> str:
    """Values in words: "0, 1, 255", or "0, 3, 5, ... (57 values)"."""
    shown = sorted(values)
    if len(shown) <= most:
        return ", ".join(map(str, shown))
    return ", ".join(map(str, shown[:most])) + f", … ({len(shown)} values up to {shown[-1]})"


def _colour_table(file: Image.Image) -> dict[int, Colour]:
    table = np.array(file.getpalette("RGB") or [], int).reshape(-1, 3).tolist()
    return {index: (red, green, blue) for index, (red, green, blue) in enumerate(table)}


def _some_colours(raw: np.ndarray) -> str:
    colours = np.unique(raw.reshape(-1, 3), axis=0)
    more = ", …" if len(colours) > 8 else ""
    return ", ".join(colour_text(colour) for colour in colours[:8].tolist()) + more


def _in_blocks(values: np.ndarray) -> np.ndarray:
    """Where a square of 2 x 2 pixels of one value lies (height, width), bool."""
    corner = values[:-1, :-1]
    alike = (values[1:, :-1] == corner) & (values[:-1, 1:] == corner) & (values[1:, 1:] == corner)
    here = np.zeros(values.shape, bool)
    for down in (slice(None, -1), slice(1, None)):
        for right in (slice(None, -1), slice(1, None)):
            here[down, right] |= alike
    return here


def _between(values: np.ndarray) -> np.ndarray:
    """Where a pixel has a lower and a higher one among its eight neighbours, bool."""
    low = high = np.pad(values, 1, mode="edge")
    for axis in (0, 1):
        parts = [np.take(low, range(s, low.shape[axis] - 2 + s), axis) for s in range(3)]
        tops = [np.take(high, range(s, high.shape[axis] - 2 + s), axis) for s in range(3)]
        low, high = np.minimum.reduce(parts), np.maximum.reduce(tops)
    return (low < values) & (values < high)


def _is_outlined(values: np.ndarray) -> bool:
    """Whether pet and background seldom touch: a border lies between them."""
    sides = [(values[1:], values[:-1]), (values[:, 1:], values[:, :-1])]
    sums = [np.concatenate([(a.astype(int) * b).ravel() for a, b in sides])]
    touching, bordered = ((sums[0] == product).sum() for product in (2, 3))
    return bool(touching <= TOUCHING * (touching + bordered))
