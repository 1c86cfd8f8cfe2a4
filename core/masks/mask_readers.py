"""One mask out of one file, whatever its form, by what the canvas says about it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from ..counted import did_you_mean
from ..errors import InputError
from ..lines import read_lists
from ..recipe_file import parse_recipe_data
from .coco import CocoImage, check_coco_classes, read_coco
from .label_mask import LabelMask, MaskCode, check_mask
from .labelled_png import read_labelled, read_labels
from .read import read_alpha, read_mask, read_trimap
from .set_code import Palette, compile_palette

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
        return check_mask(LabelMask(read_labels(path, code), code.classes), path)
    return _own_labels(path)


def table_code(text: str) -> MaskCode:
    """What values and colours mean, from lines "class: 1" or "class: 1, #ff6000"; `ignore` is no
    class. Raises InputError."""
    rows = {name: [_entry(value) for value in row] for name, row in read_lists(text).items()}
    entries: dict[str, object] = {name: rows.pop(name) for name in ("ignore",) if name in rows}
    if "threshold" in rows:
        entries["threshold"] = rows.pop("threshold")[0]
    if rows or "threshold" not in entries:
        entries["classes"] = rows
    return compile_palette(parse_recipe_data(Palette, entries, "The table"), "The table")


def _entry(text: str) -> int | str:
    return int(text) if re.fullmatch("[0-9]{1,5}", text) else text


def _own_labels(path: Path) -> LabelMask:
    mask = read_labelled(path)
    if mask is not None:
        return check_mask(mask, path)
    return read_mask(path)


def _coco_mask(path: Path, class_name: str, image_name: str) -> LabelMask:
    classes, images = read_coco(path)
    chosen = (class_name,) if class_name else classes
    check_coco_classes(chosen, classes)
    return _coco_image(images, image_name, path).label_mask(chosen)


def _coco_image(images: Sequence[CocoImage], name: str, path: Path) -> CocoImage:
    by_name = {image.file_name: image for image in images}
    if not name and len(by_name) == 1:
        return images[0]
    if name not in by_name:
        problem = f"no image {name!r}" if name else f"{len(by_name)} images; say which one"
        raise InputError(f"The annotations {path} have {problem}.{did_you_mean(name, by_name)}")
    return by_name[name]
