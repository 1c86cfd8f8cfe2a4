"""The classes of a dataset: folder names, each with the words a prompt uses for it."""

import unicodedata
from collections.abc import Iterable

from .errors import InputError
from .paths import safe_name


def read_classes(text: str) -> dict[str, str]:
    """Class names and their words, from one `name` or `name: words` a line.

    Empty lines and lines that begin with # are skipped; without words the name itself is used
    (""). Raises InputError as `check_class_names` does.
    """
    pairs = [_pair(line) for line in content_lines(text)]
    check_class_names(name for name, _ in pairs)
    return dict(pairs)


def check_class_names(names: Iterable[str]) -> None:
    """Raises InputError when there is none, or one is unsafe as a folder name, or named twice."""
    seen: dict[str, str] = {}
    for name in names:
        safe_name(name, "class name")
        # One folder on disks that ignore case or normalise accents.
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            same = "" if name == seen[key] else f" (as {seen[key]!r}; case makes no difference)"
            raise InputError(f"The class {name!r} is named twice{same}. Remove one of them.")
        seen[key] = name
    if not seen:
        raise InputError("There is no class. Name at least one, one a line.")


def content_lines(text: str) -> list[str]:
    """The lines of a text without empty ones and without those that begin with #."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _pair(line: str) -> tuple[str, str]:
    name, _, words = line.partition(":")
    return name.strip(), words.strip()
