"""Label masks as files of our own: PNG, an index for each pixel, with a colour table for people and
the names of the classes inside, so that a mask says itself what it shows."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..counted import pluralize
from ..errors import InputError
from ..images import open_image, open_image_file
from ..json_text import parse_json
from .control import BORDER, own_colours
from .label_mask import IGNORE, LabelMask, MaskCode
from .raw import indices, read_indices, read_raw

CLASSES = "manyshot_classes"  # the text chunk: a JSON list of names, by index
COMPRESSION = 1  # of PNG's 1 to 9: label masks are small at any


def encode_png(mask: LabelMask) -> bytes:
    """The PNG file of a mask; what is ignored has the index 255. Equal masks give equal bytes."""
    labels = np.where(mask.labels == mask.ignored, IGNORE, mask.labels).astype(np.uint8)
    image = Image.fromarray(labels)
    image.putpalette(_table(mask.classes).tobytes())
    info = PngInfo()
    info.add_text(CLASSES, json.dumps(mask.classes))
    file = BytesIO()
    image.save(file, format="PNG", pnginfo=info, compress_level=COMPRESSION)
    return file.getvalue()


def decode_png(data: bytes) -> LabelMask | None:
    """The mask in the bytes of a file, as `encode_png` writes it; None for one of another origin.

    Raises InputError for what is no image, or damaged.
    """
    image = open_image(data, "mask", ("PNG",))
    text = image.info.get(CLASSES)
    if text is None or image.mode != "P":
        return None
    try:
        labels, classes = np.array(image), parse_json(text)
    except (TypeError, ValueError) as error:
        raise InputError(f"The mask's list of classes is malformed ({error}).") from None
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise InputError(f"The mask's list of classes is malformed: {text[:60]!r}.")
    if (labels[labels != IGNORE] >= len(classes)).any():
        raise InputError(
            f"The mask has values beyond its {pluralize(len(classes), 'class', 'classes')}."
        )
    return LabelMask(labels, tuple(classes))


def _table(classes: tuple[str, ...]) -> np.ndarray:
    """Each class's own colour, bytes (256, 3)."""
    table = np.zeros((256, 3), np.uint8)
    colours = own_colours(classes)
    table[: len(classes)] = [colours[name] for name in classes]
    table[IGNORE] = BORDER
    return table


def read_class_names(path: Path) -> tuple[str, ...] | None:
    """The classes that a mask names itself, by index; None for a file of another origin.

    Raises InputError for a file that is no image, or whose names are damaged.
    """
    with open_image_file(path, "mask") as file:
        text = file.info.get(CLASSES)
        names = None if text is None or file.mode != "P" else parse_json(text)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"The list of classes in the mask {path} is malformed: {text!r}.")
    return tuple(names)


def read_labelled(path: Path) -> LabelMask | None:
    """A mask that names its classes; None for a file of another origin. Raises InputError."""
    classes = read_class_names(path)
    if classes is None:
        return None
    return LabelMask(indices(read_raw(path), _own_code(classes), path), classes)


def _own_code(classes: tuple[str, ...]) -> MaskCode:
    return MaskCode(classes, {i: i for i in range(len(classes))} | {IGNORE: IGNORE}, {})


def read_labels(path: Path, code: MaskCode) -> np.ndarray:
    """Indices (height, width) by `code`, of any mask file.

    A mask that names its classes goes by these names, or by their colours where `code` knows a
    colour in place of the name; any other by its values. Raises InputError, naming the file.
    """
    classes = read_class_names(path)
    if classes is None:
        return read_indices(path, code)
    return indices(read_raw(path), _translate(classes, code, path), path)


def _translate(classes: tuple[str, ...], code: MaskCode, path: Path) -> MaskCode:
    colours = own_colours(classes)
    values = {IGNORE: IGNORE}
    for value, name in enumerate(classes):
        if name in code.classes:
            values[value] = code.classes.index(name)
        elif colours[name] in code.colours:
            values[value] = code.colours[colours[name]]
        else:
            raise InputError(
                f"The mask {path} shows {name!r}, which is not a class here. The classes are "
                f"{', '.join(code.classes)}."
            )
    return MaskCode(code.classes, values, {})
