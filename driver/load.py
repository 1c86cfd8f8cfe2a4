"""A YAML file becomes a Recipe; everything wrong with it becomes a sentence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.recipe_file import parse_recipe_data, read_recipe_file
from .recipe import Recipe


def read_recipe(path: Path, settings: Sequence[str] | None = None, **changes: Any) -> Recipe:
    """The recipe in `path`, with `settings` and `changes` as `read_recipe_file` has them.

    Raises InputError.
    """
    return read_recipe_file(Recipe, path, settings, **changes)


def parse_recipe(data: dict[str, Any], where: str) -> Recipe:
    """`data` as a Recipe. Raises InputError naming `where`, the key, and the nearest known key."""
    return parse_recipe_data(Recipe, data, where)
