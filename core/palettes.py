"""The colours of control images for the segmentation ControlNet, in one place.

    background #000000    border #808080    cat #ff6000    dog #0060ff

A trimap (Oxford-IIIT Pet's annotations) says for each pixel 1 pet, 2 background, 3 border: the
few pixels along the outline that its annotators left open.
"""

from typing import Literal

import numpy as np

from .errors import InputError

Species = Literal["cat", "dog"]
PET, BACKGROUND, BORDER = 1, 2, 3  # the values of a trimap
COLOURS: dict[str, tuple[int, int, int]] = {
    "background": (0x00, 0x00, 0x00),
    "border": (0x80, 0x80, 0x80),
    "cat": (0xFF, 0x60, 0x00),
    "dog": (0x00, 0x60, 0xFF),
}
_VALUES = {"background": BACKGROUND, "border": BORDER, "cat": PET, "dog": PET}


def palette_text() -> str:
    """The palette as words and hexadecimal colours: "background #000000, border #808080, …"."""
    return ", ".join(f"{name} {_hex(colour)}" for name, colour in COLOURS.items())


def trimap_to_control(trimap: np.ndarray, species: Species) -> np.ndarray:
    """Bytes (height, width, 3) from a trimap (height, width) of 1, 2 and 3.

    Raises InputError for another species, another shape, or other values.
    """
    if species not in ("cat", "dog"):
        raise InputError(f"A trimap shows a cat or a dog, not {species!r}.")
    if trimap.ndim != 2:
        raise InputError(f"A trimap has two dimensions; this one has {trimap.ndim}.")
    other = np.setdiff1d(trimap, [PET, BACKGROUND, BORDER])
    if other.size:
        raise InputError(
            f"A trimap holds 1 (pet), 2 (background) and 3 (border); this one has {other[0]}."
        )
    table = np.zeros((4, 3), np.uint8)
    for value, name in ((PET, species), (BACKGROUND, "background"), (BORDER, "border")):
        table[value] = COLOURS[name]
    return table[trimap.astype(np.uint8)]


def control_to_trimap(control: np.ndarray) -> tuple[np.ndarray, Species | None]:
    """The trimap (height, width) of bytes (height, width, 3), and the species; None without a pet.

    Raises InputError for colours that the palette lacks (with the place of the first), and for a
    picture of both species: a trimap has one.
    """
    if control.ndim != 3 or control.shape[2] != 3 or control.dtype != np.uint8:
        raise InputError("A control image is uint8 of shape (height, width, 3).")
    trimap = np.zeros(control.shape[:2], np.uint8)
    species: list[Species] = []
    for name, colour in COLOURS.items():
        here = (control == colour).all(axis=2)
        trimap[here] = _VALUES[name]
        if here.any() and (name == "cat" or name == "dog"):
            species.append(name)
    if not trimap.all():
        raise _unknown(control, trimap)
    if len(species) > 1:
        raise InputError("A control image shows a cat or a dog; this one has both colours.")
    return trimap, species[0] if species else None


def _unknown(control: np.ndarray, trimap: np.ndarray) -> InputError:
    row, column = (int(place) for place in np.argwhere(trimap == 0)[0])
    colour = tuple(int(value) for value in control[row, column])
    return InputError(
        f"The pixel in row {row}, column {column} is {_hex(colour)}, which is not in the "
        f"palette ({palette_text()}). Resize control images with nearest-neighbour "
        "interpolation and save them as PNG."
    )


def _hex(colour: tuple[int, ...]) -> str:
    return "#" + "".join(f"{value:02x}" for value in colour)
