"""A YAML file becomes a Recipe; everything wrong with it becomes a sentence."""

from pathlib import Path
from typing import Any

from ..core.recipe_file import parse_recipe_data, read_recipe_file
from .recipe import Recipe


def read_recipe(path: Path, **changes: Any) -> Recipe:
    """The recipe in `path`, with `changes` (from the command line) in place of its own keys.

    Raises InputError.
    """
    return read_recipe_file(Recipe, path, **changes)


def parse_recipe(data: dict[str, Any], where: str) -> Recipe:
    """`data` as a Recipe. Raises InputError naming `where`, the key, and the nearest known key."""
    return parse_recipe_data(Recipe, data, where)
