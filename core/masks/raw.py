"""Reading mask files: an index for each pixel, or a sentence that names the file."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import InputError
from ..images import open_image
from .codes import IGNORE, MaskCode, colour_text

UNKNOWN = 254  # classes are fewer


def read_raw(path: Path) -> np.ndarray:
    """The values (height, width) of an index or grey mask, or the bytes (height, width, 3).

    A colour table is left aside: such a file is read by its indices. Raises InputError.
    """
    return _values(open_image(path, "mask"))


def _values(file: Image.Image) -> np.ndarray:
    if file.mode == "1":
        return np.asarray(file.convert("L"))
    if file.mode in ("L", "P") or file.mode.startswith("I"):
        return np.asarray(file)
    return np.asarray(file.convert("RGB"))


def indices(raw: np.ndarray, code: MaskCode, path: Path) -> np.ndarray:
    """Indices (height, width), uint8, of a mask as `read_raw` gives it.

    Raises InputError, naming `path`, for a value that `code` lacks and when all is ignored.
    """
    keys = _packed(raw, code)
    known = code.values if raw.ndim == 2 or not code.colours else _packed_colours(code)
    table = np.full(2**16 if raw.ndim == 2 else 2**24, UNKNOWN, np.uint8)
    table[list(known)] = list(known.values())
    found = table[keys]
    if (found == UNKNOWN).any():
        raise _unknown(raw, found == UNKNOWN, code, path)
    if (found == IGNORE).all():
        raise InputError(
            f"The mask {path} has no labelled pixel: all of it is ignored. Take the pair out."
        )
    return found


def _packed(raw: np.ndarray, code: MaskCode) -> np.ndarray:
    """One number for each pixel; what no file of 16 bits can hold becomes what no code knows."""
    if raw.ndim == 2:
        return np.where((raw < 0) | (raw >= 2**16), 2**16 - 1, raw).astype(np.int64)
    red, green, blue = np.moveaxis(raw.astype(np.int64), 2, 0)
    packed = red << 16 | green << 8 | blue
    if code.colours:
        return packed
    return np.where((red == green) & (green == blue), red, packed)  # grey, saved as colours


def _packed_colours(code: MaskCode) -> dict[int, int]:
    return {r << 16 | g << 8 | b: index for (r, g, b), index in code.colours.items()}


def _unknown(raw: np.ndarray, where: np.ndarray, code: MaskCode, path: Path) -> InputError:
    row, column = (int(place) for place in np.argwhere(where)[0])
    value = raw[row, column]
    shown = colour_text(value.tolist()) if raw.ndim == 3 else str(value)
    return InputError(
        f"The mask {path} has {shown} in row {row}, column {column}, which is no class. "
        f"{_nearest(value, code)}Known: {code.text()}. Save masks as PNG, and resize them with "
        "nearest neighbours."
    )


def _nearest(value: np.ndarray, code: MaskCode) -> str:
    """The known colour at the least distance, as a sentence; nothing for values."""
    if value.ndim == 0 or not code.colours:
        return ""
    colours = list(code.colours)
    near = colours[int(np.abs(np.array(colours) - value.astype(int)).sum(axis=1).argmin())]
    return f"The nearest is {colour_text(near)} {code.name(code.colours[near])}. "
