"""The 150 classes of ADE20K and their colours, which the public control_*_seg models were taught.

Names and their order: CSAILVision/sceneparsing, objectInfo150.txt; colours: color150.mat there, as
the ControlNet preprocessors draw them. A few everyday nouns stand beside each class, so that "cat"
finds "animal". Road and skyscraper have one colour.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from .. import masks
from ..counted import did_you_mean
from ..errors import InputError

if TYPE_CHECKING:  # types alone
    from .label_mask import Colour

UNLABELLED: "Colour" = (0, 0, 0)  # what ADE20K leaves open


@cache
def ade20k_colours() -> "Mapping[str, Colour]":
    """The colour of each class, in ADE20K's order."""
    return {names[0]: colour for names, colour in _rows()}


def ade20k_class(name: str) -> str:
    """The class of ADE20K that a name means, by its own name or by a synonym, case aside.

    Raises InputError, with the nearest, for a name that none has.
    """
    synonyms = _synonyms()
    plain = " ".join(name.replace("_", " ").split()).lower()
    if plain not in synonyms:
        raise InputError(
            f"ADE20K has no class for {name!r}.{did_you_mean(plain, synonyms)} Map it to one "
            "of ADE20K's classes, or to none to leave it unlabelled (black)."
        )
    return synonyms[plain]


@cache
def _synonyms() -> Mapping[str, str]:
    return {name: names[0] for names, _ in _rows() for name in names}


@cache
def _rows() -> "tuple[tuple[tuple[str, ...], Colour], ...]":
    text = (files(masks) / "ade20k.txt").read_text("utf-8")
    return tuple(_row(line) for line in text.splitlines())


def _row(line: str) -> "tuple[tuple[str, ...], Colour]":
    colour, names = line.split(" ", 1)
    red, green, blue = bytes.fromhex(colour[1:])
    return tuple(names.split(", ")), (red, green, blue)
