"""Paths as people write them: ~ is their home, and $NAME a variable of the environment.

Relative paths are those of the folder that a command runs in, in every kind of recipe.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")


def expand_path(value: Any) -> Any:
    """A path with ~ and $NAME or ${NAME} filled in; `$$` is a dollar sign. Other values as they
    are.

    Raises ValueError for a variable that is not set, for the home of an unknown user, and for an
    empty text, which Path would take for the current folder.
    """
    if not isinstance(value, str | Path):
        return value
    if not str(value).strip():
        raise ValueError("an empty text is not a path; write . for the current folder")
    filled = _VARIABLE.sub(_variable, str(value))
    if not filled.startswith("~"):  # Path would take ./~x for ~x, too
        return Path(filled)
    try:
        return Path(filled).expanduser()
    except RuntimeError:
        user = filled.split("/")[0]
        raise ValueError(
            f"the user {user!r} has no home folder; write ./{user} for a folder of that name"
        ) from None


def _variable(match: re.Match[str]) -> str:
    if match["dollar"]:
        return "$"
    name = match["name"] or match["braced"]
    value = os.environ.get(name)
    if not value:
        raise ValueError(
            f"the environment variable {name} is not set. Set it, or write $${name} for "
            "the literal text"
        )
    return value


def _expand_text(value: Any) -> Any:
    written = isinstance(value, str) and (value.startswith("~") or "$" in value)
    return str(expand_path(value)) if written else value


UserPath = Annotated[Path, BeforeValidator(expand_path)]
"""The type of every path in a recipe."""
PathOrName = Annotated[str, BeforeValidator(_expand_text)]
"""The same where a name may stand in a path's place."""
