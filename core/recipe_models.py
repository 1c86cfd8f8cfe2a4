"""What the models of recipes hold where: pydantic's types, seen through lists, mappings, unions."""

import types
from collections.abc import Iterable
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def model_at(model: Any, loc: Iterable[Any]) -> type[BaseModel] | None:
    """The model that the value at `loc` is validated by."""
    for key in loc:
        if isinstance(key, str) and isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(key)
            model = inner_model(field.annotation) if field else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def inner_model(annotation: Any, direct: bool = False) -> type[BaseModel] | None:
    """The model in a type, and unless `direct` in its lists and mappings; None without any."""
    through = (Union, types.UnionType, Annotated, *(() if direct else (list, dict)))
    if get_origin(annotation) in through:
        models = (inner_model(each, direct) for each in get_args(annotation))
        return next((model for model in models if model), None)
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None
