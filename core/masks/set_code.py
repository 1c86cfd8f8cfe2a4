"""What the masks of a folder mean: one decision for all of them, for every reader."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .codes import MaskCode
from .conventions import IN_FOLDER, PALETTE, check_objects, infer_code
from .label_mask import IGNORE
from .labelled_png import read_class_names
from .palette_file import read_palette
from .raw import grey, read_raw


def set_code(masks: Sequence[Path], folder: Path, palette: Path | None = None) -> MaskCode | None:
    """What the masks of a folder mean: by `palette`, by palette.yaml in it, or by their values.

    None where all of them name their classes, or where there are none. Raises InputError where
    some do and others do not, and as `infer_code` does.
    """
    beside = folder / PALETTE
    chosen = palette or (beside if beside.is_file() else None)
    if chosen is not None:
        return read_palette(chosen)
    plain = [mask for mask in masks if read_class_names(mask) is None]
    if not plain:
        return None
    if len(plain) < len(masks):
        raise InputError(
            f"The mask {plain[0]} does not name its classes, as other masks in its folder do "
            f"({len(masks) - len(plain)} of {len(masks)}). Say what its values mean in "
            f"{IN_FOLDER}."
        )
    return infer_code(plain)


def code_beside(
    masks: Sequence[Path], folder: Path, code: MaskCode, of: str, stated: bool = False
) -> MaskCode:
    """What the masks of another folder mean, by the classes of `code`, which are those of `of`
    ("the real masks").

    They are decided on by themselves: by palette.yaml in their folder, by their names or colours,
    by `code` where a palette has `stated` it, or by their values. Classes go by name. Raises
    InputError for a class that `code` lacks, and for masks of which none shows an object.
    """
    if (folder / PALETTE).is_file():
        return _translate(read_palette(folder / PALETTE), code, folder, of)
    plain = [mask for mask in masks if read_class_names(mask) is None]
    if not plain or (code.colours and grey(read_raw(plain[0])) is None):
        return code
    if stated:
        check_objects(plain, code, folder)
        return code
    return _translate(infer_code(plain), code, folder, of)


def _translate(source: MaskCode, code: MaskCode, folder: Path, of: str) -> MaskCode:
    """`source` with the places of its classes in `code`, by name."""
    classes = code.classes
    for name in source.classes:
        if name not in classes:
            raise InputError(
                f"The masks of {folder} show {name!r} ({source.text()}), which {of} do not "
                f"have: {', '.join(classes)}. Use the same class names in both: {IN_FOLDER}."
            )
    places = [classes.index(name) for name in source.classes]

    def translate(index: int) -> int:
        return IGNORE if index == IGNORE else places[index]

    values = {value: translate(index) for value, index in source.values.items()}
    colours = {colour: translate(index) for colour, index in source.colours.items()}
    return MaskCode(classes, values, {**code.colours, **colours}, source.threshold)
