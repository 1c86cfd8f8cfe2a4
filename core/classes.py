"""The classes of a dataset are folder names, and must stay apart on every disk and to every eye."""

import unicodedata
from collections.abc import Iterable

from .errors import InputError
from .paths import safe_name

BYTE_ORDER_MARK = "\ufeff"  # which some editors put before a text
JOINERS = "\u200c\u200d"  # invisible, but Persian, Hindi and emoji are written with them


def normalise_class(name: str) -> str:
    """A class name as it is compared and stored: in Unicode's form NFC, without a byte order mark.

    macOS gives folder names in the form NFD. Raises InputError for characters that nobody sees.
    """
    plain = unicodedata.normalize("NFC", name.removeprefix(BYTE_ORDER_MARK))
    hidden = [c for c in plain if unicodedata.category(c) == "Cf" and c not in JOINERS]
    if hidden:
        raise InputError(
            f"The class name {plain!a} has a character that nobody sees: {_code_point(hidden[0])}. "
            "Remove it."
        )
    return plain


def check_class_names(names: Iterable[str]) -> None:
    """Raises InputError when there is none, or one is unsafe as a folder name, or named twice."""
    listed = list(names)
    for name in listed:
        safe_name(normalise_class(name), "class name")
    check_apart(listed)
    if not listed:
        raise InputError("There is no class. Name at least one, one a line.")


def check_apart(names: Iterable[str]) -> None:
    """Raises InputError when two names are one to a disk or to an eye: letters of another case or
    width, accents in one or two characters, other spaces, joiners."""
    by_key: dict[str, str] = {}
    for name in names:
        key = _look(name)
        if key in by_key:
            raise InputError(_too_alike(name, by_key[key]))
        by_key[key] = name


def _look(name: str) -> str:
    plain = unicodedata.normalize("NFKC", normalise_class(name)).casefold()
    return " ".join("".join(c for c in plain if c not in JOINERS).split())


def _too_alike(name: str, other: str) -> str:
    if name == other:
        return f"The class {name!r} is named twice. Remove one of them."
    if name.casefold() == other.casefold():
        return (
            f"The class {name!r} is named twice (as {other!r}; case makes no difference). Remove "
            "one of them."
        )
    return (
        f"The classes {_spelt(other)} and {_spelt(name)} look the same. Write them alike, or give "
        "one another name."
    )


def _spelt(name: str) -> str:
    """A name with the code points of what is beyond ASCII, in which twins differ."""
    points = " ".join(_code_point(c) for c in name if not c.isascii())
    return f"{name!r} ({points})" if points else repr(name)


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
