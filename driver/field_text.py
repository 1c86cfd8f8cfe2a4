"""Job fields in the texts of a recipe: `$prompt, masterpiece` or `${class_name}s.safetensors`.

A $ before a letter, or before a name in braces, begins a field; `$$` is a dollar sign; every other
$, as in "$5", is itself.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ..core.counted import did_you_mean
from ..core.errors import InputError
from .job import JOB_FIELDS, PICTURES, TEXTS

FIELDS = (*JOB_FIELDS, *PICTURES, *TEXTS)
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")


def field_names(value: Any, where: str, more: Sequence[str] = ()) -> tuple[str, ...]:
    """The fields that a bound value names, in its order; none in what is no text. `more`: fields of
    this recipe alone.

    Raises InputError, beginning with `where`, for a field that there is not, and for a picture
    with text around it.
    """
    names = read_names(value)
    for name in names:
        if name not in FIELDS and name not in more:
            near = did_you_mean(name, (*FIELDS, *more))
            raise InputError(
                f"{where}: there is no job field '${name}'.{near} "
                f"(Write '$${name}' for the literal text.)"
            )
        if name in PICTURES and not is_field(value):
            raise InputError(
                f"{where}: ${name} is a picture and must stand alone. Remove the text."
            )
    return names


def read_names(value: Any) -> tuple[str, ...]:
    """The fields that a value names which was checked before."""
    return tuple(name for _, name in _parts(value) if name) if isinstance(value, str) else ()


def is_field(value: str) -> bool:
    """Whether a text is one field and nothing else, whose value keeps its type."""
    parts = _parts(value)
    return len(parts) == 1 and not parts[0][0] and bool(parts[0][1])


def fill(value: Any, field: Callable[[str], Any]) -> Any:
    """A bound value with its fields filled in by `field`; what is no text stays as it is."""
    if not isinstance(value, str) or "$" not in value:
        return value
    if is_field(value):
        return field(_parts(value)[0][1])
    return "".join(text + (str(field(name)) if name else "") for text, name in _parts(value))


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[tuple[str, str], ...]:
    """Text and the field behind it, in turn; "" where there is no field."""
    parts: list[tuple[str, str]] = []
    plain, end = "", 0
    for match in _REFERENCE.finditer(text):
        plain += text[end : match.start()]
        end = match.end()
        if match["dollar"]:
            plain += "$"
        else:
            parts.append((plain, match["name"] or match["braced"]))
            plain = ""
    plain += text[end:]
    return (*parts, (plain, "")) if plain else tuple(parts)
