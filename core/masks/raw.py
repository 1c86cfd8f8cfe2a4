"""Reading mask files: an index for each pixel, or a sentence that names the file."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..counted import pluralize
from ..errors import InputError
from ..images import open_image
from .label_mask import IGNORE, MOST_VALUE, WHITE, MaskCode, colour_text

UNKNOWN = 254  # classes are fewer


def read_indices(path: Path, code: MaskCode) -> np.ndarray:
    """Indices (height, width), uint8, of a mask file. Raises InputError as `indices` does."""
    return indices(read_raw(path, code.by_colour), code, path)


def read_raw(path: Path, by_colour: bool = False) -> np.ndarray:
    """The values (height, width) of an index or grey mask, or the bytes (height, width, 3).

    A file with a colour table is read by its indices, or, `by_colour`, by the colours. Raises
    InputError, also for fractions and for transparent pixels.
    """
    return read_values(open_image(path, "mask"), path, by_colour)


def read_values(file: Image.Image, path: Path, by_colour: bool = False) -> np.ndarray:
    """As `read_raw` gives it, of an open file."""
    if file.mode == "1":
        return np.asarray(file.convert("L"))
    if file.mode == "P" and by_colour:
        return np.asarray(file.convert("RGB"))
    if file.mode in ("L", "P") or file.mode.startswith("I"):
        return np.asarray(file)
    if file.mode == "F":
        return _whole_numbers(np.asarray(file), path)
    if file.mode in ("RGBA", "LA", "PA"):
        _check_opaque(file, path)
    return np.asarray(file.convert("L" if file.mode == "LA" else "RGB"))


def _whole_numbers(values: np.ndarray, path: Path) -> np.ndarray:
    if not np.array_equal(values, np.floor(values)):
        raise InputError(
            f"The mask {path} has fractions such as {values[values != np.floor(values)][0]:g}. "
            "Save it with whole numbers, as an 8-bit PNG."
        )
    return values.clip(-1, MOST_VALUE + 1).astype(np.int32)


def _check_opaque(file: Image.Image, path: Path) -> None:
    alpha = np.asarray(file.getchannel("A"))
    if (alpha < WHITE).any():
        raise InputError(
            f"The mask {path} has "
            f"{pluralize(int((alpha < WHITE).sum()), 'transparent pixel')} with colours "
            "under them, so it is unclear which of the two is the label. Save it without an "
            "alpha channel; if opaque means object, save the alpha channel as a greyscale "
            "image."
        )


def indices(raw: np.ndarray, code: MaskCode, path: Path) -> np.ndarray:
    """Indices (height, width), uint8, of a mask as `read_raw` gives it.

    Raises InputError, naming `path`, for a value that `code` lacks and when all is ignored.
    """
    raw = raw if code.threshold is None else _black_and_white(raw, code.threshold, path)
    keys = _pack(raw, code)
    index_by_value = code.values if raw.ndim == 2 or not code.colours else _pack_colours(code)
    table = np.full(MOST_VALUE + 2 if raw.ndim == 2 else 2**24, UNKNOWN, np.uint8)
    table[list(index_by_value)] = list(index_by_value.values())
    labels = table[keys]
    if (labels == UNKNOWN).any():
        raise _unknown(raw, labels == UNKNOWN, code, path)
    if (labels == IGNORE).all():
        raise InputError(
            f"The mask {path} has no labelled pixels: all are ignored. Remove the pair."
        )
    return labels


def grey(raw: np.ndarray) -> np.ndarray | None:
    """The values (height, width) of a mask without colours, also where it was saved as RGB."""
    if raw.ndim == 2:
        return raw
    return raw[..., 0] if (raw == raw[..., :1]).all() else None


def _black_and_white(raw: np.ndarray, threshold: int, path: Path) -> np.ndarray:
    values = grey(raw)
    if values is None:
        raise InputError(f"The mask {path} is in colour; a threshold needs greyscale.")
    return np.where(values >= threshold, WHITE, 0).astype(np.uint8)


def _pack(raw: np.ndarray, code: MaskCode) -> np.ndarray:
    """One number for each pixel; what no file of 16 bits can hold becomes what no code knows."""
    if raw.ndim == 2:
        return np.where((raw < 0) | (raw > MOST_VALUE), MOST_VALUE + 1, raw).astype(np.int64)
    red, green, blue = np.moveaxis(raw.astype(np.int64), 2, 0)
    packed = red << 16 | green << 8 | blue
    if code.colours:
        return packed
    return np.where((red == green) & (green == blue), red, packed)  # grey, saved as colours


def _pack_colours(code: MaskCode) -> dict[int, int]:
    return {r << 16 | g << 8 | b: index for (r, g, b), index in code.colours.items()}


def _unknown(raw: np.ndarray, where: np.ndarray, code: MaskCode, path: Path) -> InputError:
    row, column = (int(place) for place in np.argwhere(where)[0])
    value = raw[row, column]
    shown = colour_text(value.tolist()) if raw.ndim == 3 else str(value)
    return InputError(
        f"The mask {path} has {shown} in row {row}, column {column}, which is not a class. "
        f"{_nearest(value, code)}Known: {code.text()}. Save masks as PNG, and resize them "
        "with nearest-neighbour interpolation."
    )


def _nearest(value: np.ndarray, code: MaskCode) -> str:
    """The known colour at the least distance, as a sentence; nothing for values."""
    if value.ndim == 0 or not code.colours:
        return ""
    colours = list(code.colours)
    near = colours[int(np.abs(np.array(colours) - value.astype(int)).sum(axis=1).argmin())]
    return f"The nearest is {colour_text(near)} {code.name(code.colours[near])}. "
