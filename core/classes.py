"""The classes of a dataset are folder names, and must stay apart on every disk."""

import unicodedata
from collections.abc import Iterable

from .errors import InputError
from .paths import safe_name


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
