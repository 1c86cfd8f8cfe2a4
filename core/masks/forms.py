"""One mask out of one file, whatever its form, by what the canvas says about it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ..errors import InputError
from ..lines import read_lists
from ..nearest import did_you_mean
from ..recipe_file import parse_recipe_data
from .coco import CocoImage, check_coco_classes, read_coco
from .codes import MaskCode, Palette, code_of, colour_text
from .labelled_png import read_labelled, read_labels
from .raw import read_raw
from .read import LabelMask, checked, read_alpha, read_mask, read_trimap

Form = Literal["labels", "trimap", "alpha", "coco"]
FORMS: tuple[Form, ...] = get_args(Form)
OBJECT = "object"  # the class of what has no name


def read_form(
    path: Path, form: Form, class_name: str = "", table: str = "", image_name: str = ""
) -> LabelMask:
    """The mask in a file.

    labels: an index, grey, palette or colour image, its values and colours by `table`, or by the
    names it holds itself, or each value found a class. trimap: of `class_name`. alpha:
    `class_name` where the image is opaque. coco: of the image `image_name` in a file of
    annotations, `class_name` or all classes.

    Raises InputError, naming the file: unreadable, unknown values or colours, no object in it, and
    names that it lacks, with the nearest.
    """
    if form == "trimap":
        return read_trimap(path, class_name or OBJECT)
    if form == "alpha":
        return read_alpha(path, class_name or OBJECT)
    if form == "coco":
        return _coco_mask(path, class_name, image_name)
    if table.strip():
        code = table_code(table)
        return checked(LabelMask(read_labels(path, code), code.classes), path)
    return _own_labels(path)


def table_code(text: str) -> MaskCode:
    """What values and colours mean, from lines "class: 1" or "class: 1, #ff6000"; `ignore` is no
    class. Raises InputError."""
    rows = {name: [_entry(value) for value in row] for name, row in read_lists(text).items()}
    ignore = rows.pop("ignore", [])
    palette = parse_recipe_data(Palette, {"classes": rows, "ignore": ignore}, "The table")
    return code_of(palette, "The table")


def _entry(text: str) -> int | str:
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else text


def _own_labels(path: Path) -> LabelMask:
    own = read_labelled(path)
    if own is not None:
        return checked(own, path)
    raw = read_raw(path)
    if raw.ndim == 3:
        raise InputError(
            f"The mask {path} has colours ({_colours(raw)}). Say in the table what each means, "
            "as in 'cat: #ff6000'."
        )
    return read_mask(path)


def _colours(raw: np.ndarray) -> str:
    found = np.unique(raw.reshape(-1, 3), axis=0)
    more = ", …" if len(found) > 8 else ""
    return ", ".join(colour_text(colour) for colour in found[:8].tolist()) + more


def _coco_mask(path: Path, class_name: str, image_name: str) -> LabelMask:
    classes, images = read_coco(path)
    chosen = (class_name,) if class_name else classes
    check_coco_classes(chosen, classes)
    return _coco_image(images, image_name, path).label_mask(chosen)


def _coco_image(images: Sequence[CocoImage], name: str, path: Path) -> CocoImage:
    known = {image.file_name: image for image in images}
    if not name and len(known) == 1:
        return images[0]
    if name not in known:
        asked = f"no image {name!r}" if name else f"{len(known)} images; say which one"
        raise InputError(f"The annotations {path} have {asked}.{did_you_mean(name, known)}")
    return known[name]
