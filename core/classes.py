"""The classes of a dataset are folder names, and must stay apart on every disk and to every eye."""

import unicodedata
from collections.abc import Iterable

from .errors import InputError
from .paths import safe_name

BYTE_ORDER_MARK = "\ufeff"  # which some editors put before a text
# Greek and Cyrillic letters, and the Latin ones that they look like: those single letters that
# Unicode's confusables.txt (UTS 39) gives one prototype in these three scripts.
# Written as code points, for nobody could tell them apart here.
_TWINS = {
    "A": (0x391, 0x410), "B": (0x392, 0x412), "C": (0x3F9, 0x421), "E": (0x395, 0x415),
    "G": (0x50C,), "H": (0x397, 0x41D), "I": (0x399, 0x406, 0x4C0), "J": (0x37F, 0x408),
    "K": (0x39A, 0x41A), "M": (0x39C, 0x41C), "N": (0x39D,), "O": (0x39F, 0x41E),
    "P": (0x3A1, 0x420), "Q": (0x51A,), "S": (0x405,), "T": (0x3A4, 0x422), "V": (0x474,),
    "W": (0x51C,), "X": (0x3A7, 0x425), "Y": (0x3A5, 0x4AE), "Z": (0x396,),
    "a": (0x3B1, 0x430), "c": (0x3F2, 0x441), "d": (0x501,), "e": (0x435,), "h": (0x4BB,),
    "i": (0x3B9, 0x456), "j": (0x3F3, 0x458), "l": (0x4CF,), "o": (0x3BF, 0x43E),
    "p": (0x3C1, 0x440), "q": (0x51B,), "s": (0x455,), "u": (0x3C5,), "v": (0x3BD, 0x475),
    "w": (0x51D,), "x": (0x445,), "y": (0x3B3, 0x443, 0x4AF),
}  # fmt: skip
LATIN_LOOK = {point: latin for latin, points in _TWINS.items() for point in points}
JOINERS = "\u200c\u200d"  # invisible, but Persian, Hindi and emoji are written with them


def normalise_class(name: str) -> str:
    """A class name as it is compared and stored: in Unicode's form NFC, without a byte order mark.

    macOS gives folder names in the form NFD. Raises InputError for characters that nobody sees.
    """
    plain = unicodedata.normalize("NFC", name.removeprefix(BYTE_ORDER_MARK))
    hidden = [c for c in plain if unicodedata.category(c) == "Cf" and c not in JOINERS]
    if hidden:
        raise InputError(
            f"The class name {plain!a} contains an invisible character: "
            f"{_code_point(hidden[0])}. Remove it."
        )
    return plain


def check_class_names(names: Iterable[str]) -> None:
    """Raises InputError when there is none, or one is unsafe as a folder name, or named twice."""
    listed = list(names)
    for name in listed:
        safe_name(normalise_class(name), "class name")
    check_apart(listed)
    if not listed:
        raise InputError("No class is given. Name at least one, one per line.")


def check_apart(names: Iterable[str]) -> None:
    """Raises InputError when two names are one to a disk or to an eye: letters of another case or
    width, accents in one or two characters, other spaces, joiners, Greek or Cyrillic letters in the
    place of Latin ones that they look like."""
    by_key: dict[str, str] = {}
    for name in names:
        key = _look(name)
        if key in by_key:
            raise InputError(_too_alike(name, by_key[key]))
        by_key[key] = name


def _look(name: str) -> str:
    compatible = unicodedata.normalize("NFKC", normalise_class(name))
    plain = compatible.translate(LATIN_LOOK).casefold()
    return " ".join("".join(c for c in plain if c not in JOINERS).split())


def _too_alike(name: str, other: str) -> str:
    if name == other:
        return f"The class {name!r} is listed twice. Remove one of them."
    if name.casefold() == other.casefold():
        return (
            f"The classes {other!r} and {name!r} differ only in case, which some disks ignore. "
            "Merge them, or rename one of them."
        )
    return (
        f"The classes {_spelt(other)} and {_spelt(name)} look the same. Spell them "
        "identically, or rename one."
    )


def _spelt(name: str) -> str:
    """A name with the code points of what is beyond ASCII, in which twins differ."""
    points = " ".join(_code_point(c) for c in name if not c.isascii())
    return f"{name!r} ({points})" if points else repr(name)


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
