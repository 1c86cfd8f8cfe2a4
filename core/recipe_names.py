"""The recipes that manyshot brings, which commands find by name."""

import re
from itertools import takewhile
from pathlib import Path

from .counted import did_you_mean
from .errors import InputError

FOLDER = Path(__file__).parents[1] / "recipes"
SUFFIXES = (".yaml", ".yml")


def shipped_recipes() -> dict[str, Path]:
    """Name, such as "webui" or "thesis/images" -> file, by name."""
    files = sorted(FOLDER.rglob("*.yaml"))
    return {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in files}


def find_recipe(path_or_name: Path) -> Path:
    """The file of a recipe: a path, or the name of one that manyshot brings.

    Raises InputError for a name that neither is.
    """
    if path_or_name.is_file():
        return path_or_name
    name, shipped = path_or_name.as_posix(), shipped_recipes()
    if name in shipped:
        return shipped[name]
    if path_or_name.exists():
        return path_or_name
    bare = path_or_name.with_suffix("").as_posix().removeprefix("recipes/")
    if path_or_name.suffix in SUFFIXES and bare in shipped:
        raise InputError(
            f"There is no recipe at {path_or_name}. One of that name comes with manyshot: "
            f"write {bare!r} alone, or copy it with `manyshot recipe new {bare}`."
        )
    if path_or_name.suffix or len(path_or_name.parts) > 2:
        return path_or_name  # a path: its reader says what is beside it
    raise InputError(
        f"There is no recipe {name!r}, neither as a file nor among those that come with "
        f"manyshot.{did_you_mean(name, shipped)} `manyshot recipe list` shows them."
    )


def shipped_recipe(name: str) -> Path:
    """The file of a recipe that manyshot brings. Raises InputError for other names."""
    shipped = shipped_recipes()
    if name not in shipped:
        raise InputError(
            f"manyshot brings no recipe {name!r}.{did_you_mean(name, shipped)} `manyshot recipe "
            "list` shows them."
        )
    return shipped[name]


def describe_recipe(path: Path) -> str:
    """The first sentence of the comment at the head of a recipe."""
    head = takewhile(lambda line: line.startswith("#"), path.read_text("utf-8").splitlines())
    words = " ".join(line.lstrip("# ") for line in head if "$schema=" not in line)
    return re.split(r"(?<=[.?])\s|: `?manyshot ", words, maxsplit=1)[0]
