"""What the values of masks mean where no palette and no names say so: one rule for every reader.

It is decided for the whole set, not file by file. Nothing but 0 and 255: black and white, 255 is
the object. Else each value is a class, and 255 is ignored where files hold it beside classes.
Whatever could as well mean something else is refused, with files, values and the way out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from ..counted import pluralize
from ..errors import InputError
from ..palettes import BACKGROUND, BORDER, PET
from .label_mask import (
    BACKGROUND_NAME,
    IGNORE,
    MOST_CLASSES,
    MOST_VALUE,
    OBJECT_NAME,
    WHITE,
    MaskCode,
    colour_text,
)
from .statistics import MaskValues, all_values, listing

PALETTE = "palette.yaml"
IN_FOLDER = f"'{PALETTE}' in the folder (or the recipe's 'palette')"
IN_TABLE = "the table"
TRIMAP = {PET, BACKGROUND, BORDER}
FAR = 64  # what lies at least so far apart may be black and white; indices lie closer
COARSE = 4  # a step between values that no neighbouring shades have
FEW = 8  # pixels of an edge
SOLID = 0.5  # of the pixels of classes lie in squares of one value; shades of grey do not
MIXED = 0.9  # of the pixels of a value that resizing made lie between two others
SELDOM = 0.1  # files that show nothing but background and outline, of those with an outline


def infer_code(masks: Iterable[Path], place: str = IN_FOLDER, blank: bool = False) -> MaskCode:
    """The code of masks that neither name their classes nor have a palette, by their values.

    `place`: where a user can say what they mean. `blank`: black and white masks may all be of one
    value. Raises InputError for colours, shades of grey,
    values that resizing made, trimaps, values that are black and white in one file and indices in
    another, and fewer than two classes.
    """
    return code_of_values(all_values(list(masks), place), place, blank)


def check_objects(masks: Iterable[Path], code: MaskCode, folder: Path) -> None:
    """Raises InputError when `code` makes all that masks mark background or ignored.

    Such are black and white masks where 255 is ignored in others: they would teach nothing, and
    nobody would hear of it. Masks in colours are left to their reader.
    """
    try:
        files = all_values(list(masks), IN_FOLDER)
    except InputError:
        return
    nothing = {IGNORE, *(i for i, name in enumerate(code.classes) if name == BACKGROUND_NAME)}
    values = set(_total(file.pixels for file in files))
    marks = {code.values[value] for value in values if value in code.values}
    if code.threshold is None and values <= code.values.keys() and marks <= nothing:
        raise InputError(
            f"No mask in {folder} shows an object: the values are {listing(sorted(values))}, "
            f"which the palette reads as {code.text()}. Say what they mean in {IN_FOLDER}."
        )
    if {PET, WHITE} <= values and {PET, WHITE} <= code.values.keys():
        _check_white(files, IN_FOLDER)


def code_of_values(
    files: Sequence[MaskValues], place: str = IN_FOLDER, blank: bool = False
) -> MaskCode:
    """The code of masks with these values. Raises InputError as `infer_code` does."""
    pixels = _total(file.pixels for file in files)
    _check_colour_tables(files, place)
    _check_compression(files, place)
    for white in (WHITE, MOST_VALUE):
        if set(pixels) <= {0, white} and (blank or len(pixels) == 2):
            return MaskCode((BACKGROUND_NAME, OBJECT_NAME), {0: 0, white: 1}, {})
    _check_several(files, pixels, place)
    _check_trimaps(files, pixels, place)
    _check_shades(files, pixels, place)
    _check_steps(files, pixels, place)
    _check_mixed(files, pixels, place)
    _check_white(files, place)
    return _code_of_indices(sorted(set(pixels) - {IGNORE}), place)


def _code_of_indices(values: Sequence[int], place: str) -> MaskCode:
    wrong = next((value for value in values if not 0 <= value < MOST_VALUE), None)
    if wrong is not None or not 2 <= len(values) <= MOST_CLASSES:
        raise InputError(
            f"The masks hold the values {listing(list(values))} besides 255, which is "
            f"ignored; a mask has 2 to {MOST_CLASSES} classes. Say what the values mean in "
            f"{place}."
        )
    names = tuple(BACKGROUND_NAME if value == 0 else f"class {value}" for value in values)
    return MaskCode(names, {v: i for i, v in enumerate(values)} | {IGNORE: IGNORE}, {})


def _check_colour_tables(files: Sequence[MaskValues], place: str) -> None:
    """One index must have one colour in all files: image programs write tables as they like."""
    first_use: dict[int, MaskValues] = {}
    for file in files:
        for value, colour in file.colours.items():
            other = first_use.setdefault(value, file)
            if other.colours[value] != colour:
                raise InputError(
                    f"The index {value} is {colour_text(other.colours[value])} in "
                    f"{other.path} and {colour_text(colour)} in {file.path}: their colour "
                    f"tables differ. Say what each colour means in {place} (cat: '#ff6000'); "
                    "the colours then decide."
                )


def _check_compression(files: Sequence[MaskValues], place: str) -> None:
    lossy = [file for file in files if file.lossy and not set(file.pixels) <= {0, WHITE}]
    if lossy:
        raise InputError(
            f"The mask {lossy[0].path} is a JPEG with the values {listing(lossy[0].pixels)}: "
            "compression has changed them. Save masks as PNG; for black-and-white masks "
            f"write 'threshold: 128' in {place}."
        )


def _check_several(files: Sequence[MaskValues], pixels: Counter[int], place: str) -> None:
    if len(pixels) == 1:
        (value,) = pixels
        raise InputError(
            f"The masks hold a single value, {value} ({files[0].path}): nothing separates an "
            "object from the background. Save masks that show an object, or say what the "
            f"value means in {place}."
        )


def _check_trimaps(files: Sequence[MaskValues], pixels: Counter[int], place: str) -> None:
    alone = set(pixels) == TRIMAP
    trimap = next((file for file in files if alone or file.outlined), None)
    if trimap is not None:
        raise InputError(
            f"The mask {trimap.path} holds 1, 2 and 3, as a trimap does: 1 object, 2 "
            f"background, 3 the border between them. Say so in {place}: classes "
            f"{{background: 2, object: 1}}, ignore: 3; or name the three classes there, if "
            "it is not a trimap."
        )


def _check_steps(files: Sequence[MaskValues], pixels: Counter[int], place: str) -> None:
    """255 at the end of equal steps is no sign of ignored pixels: 0, 128, 255."""
    values = sorted(pixels)
    steps = [high - low for low, high in pairwise(values)]
    if (
        (values[0], values[-1]) == (0, WHITE)
        and min(steps) >= COARSE
        and max(steps) - 1 <= min(steps)
    ):
        file = max(files, key=lambda mask: len(mask.pixels))
        raise InputError(
            f"The masks hold {listing(values)}, in equal steps up to white ({file.path}, for "
            "example): 255 may be a class or ignored, and 0, 128, 255 a trimap with an "
            f"unknown outline. Say what each means in {place} (background: 0, object: 255, "
            "ignore: 128)."
        )


def _check_shades(files: Sequence[MaskValues], pixels: Counter[int], place: str) -> None:
    low, high = sorted(value for value, _ in pixels.most_common(2))
    rare = {value: count for value, count in pixels.items() if value not in (low, high)}
    solid = sum(file.blocks.get(value, 0) for file in files for value in rare)
    if not rare or high - low < FAR or solid >= SOLID * sum(rare.values()):
        return
    shaded = [file for file in files if set(file.pixels) & set(rare)]
    worst = max(shaded, key=lambda file: sum(file.pixels.get(value, 0) for value in rare))
    shades = {value: count for value, count in worst.pixels.items() if value in rare}
    raise InputError(
        f"The mask {worst.path} has {pluralize(sum(shades.values()), 'pixel')} of "
        f"{listing(shades)} among {low} and {high}, as "
        f"{'has' if len(shaded) == 1 else 'have'} {len(shaded)} of "
        f"{pluralize(len(files), 'mask')}: soft edges, made by resizing with interpolation "
        "or by compression. Save masks as PNG, resized with nearest-neighbour "
        f"interpolation, or write 'threshold: 128' in {place}, which makes everything from "
        "there on white; if these are classes, name them there."
    )


def _check_mixed(files: Sequence[MaskValues], pixels: Counter[int], place: str) -> None:
    between = _total(file.between for file in files)
    blocks = _total(file.blocks for file in files)
    mixed = [v for v in pixels if not blocks[v] and between[v] >= MIXED * pixels[v]]
    if sum(pixels[value] for value in mixed) < FEW:
        return
    file = next(file for file in files if set(file.pixels) & set(mixed))
    raise InputError(
        f"The mask {file.path} has {listing([v for v in mixed if v in file.pixels])} only on "
        "edges between lower and higher values, as resizing with interpolation produces. "
        "Resize the original masks with nearest-neighbour interpolation; for soft-edged "
        f"black-and-white masks write 'threshold: 128' in {place}; if these are classes, "
        "name them all there."
    )


def _check_white(files: Sequence[MaskValues], place: str) -> None:
    """255 is ignored where it lies beside classes, and an object where it lies on 0 alone."""
    white = [file for file in files if WHITE in file.pixels and set(file.pixels) <= {0, WHITE}]
    ignored = [file for file in files if {*file.pixels} - {0, WHITE} and WHITE in file.pixels]
    if len(white) > SELDOM * len(ignored):
        other = next(file for file in files if {*file.pixels} - {0, WHITE})
        raise InputError(
            f"255 may be the object or ignored: {white[0].path} holds {listing(white[0].pixels)}, "
            f"{other.path} {listing(other.pixels)} ({len(white)} and {len(files) - len(white)} of "
            f"{len(files)} masks). Say what each value means in {place}: "
            "'classes: {background: 0, object: [1, 255]}', or "
            "'classes: {background: 0, object: 1}' and in the next line 'ignore: 255'."
        )


def _total(counts: Iterable[Mapping[int, int]]) -> Counter[int]:
    return sum(map(Counter, counts), Counter())
