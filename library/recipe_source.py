"""Where a function's recipe comes from: a YAML file, or a mapping of the same keys."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ..core.errors import InputError
from ..core.recipe_file import parse_recipe_data, read_recipe_file

RecipeSource = str | PathLike[str] | Mapping[str, Any]
"""The path of a recipe, or its content. Relative paths in it start at the working directory."""
Model = TypeVar("Model", bound=BaseModel)


def read_source(model: type[Model], recipe: RecipeSource, **changes: Any) -> Model:
    """`recipe` as a validated `model`, with those `changes` in it that are not None.

    Raises InputError, as the commands do.
    """
    if isinstance(recipe, Mapping):
        settings = {name: value for name, value in changes.items() if value is not None}
        return parse_recipe_data(model, {**recipe, **settings}, "The recipe")
    if isinstance(recipe, str | PathLike):
        return read_recipe_file(model, Path(recipe), **changes)
    raise InputError(
        f"A recipe is the path of a YAML file, or a mapping of its keys; {type(recipe).__name__} "
        "is neither."
    )
