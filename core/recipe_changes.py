"""Changes to a recipe from the command line: `--set arms.0.ratio=200`, as if the file said so."""

import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from .errors import InputError
from .yaml_file import Written, read_yaml_text

FORM = "is not of the form KEY=VALUE, such as seed=1 or arms.0.ratio=200."


def apply_changes(
    model: type[BaseModel], data: dict[str, Any], written: Written, changes: Sequence[str]
) -> tuple[dict[str, Any], Written]:
    """`data` and `written` of a recipe file with each of `changes`, "dotted.key=value", made.

    A number is an index of a list, from 0. Values are YAML. What a file leaves out is changed from
    its default. Raises InputError for a change that is not of that form, or a place that is none.
    Whether the keys exist and the values are right, the recipe's model says afterwards.
    """
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not all(key.split(".")):
            raise InputError(f"--set {change} {FORM}")
        value, read = _value(text, change)
        place = _put(data, key.split("."), value, model, change)
        written = {
            **{at: word for at, word in written.items() if at[: len(place)] != place},
            **{(*place, *at): word for at, word in read.items()},
        }
    return data, written


def _value(text: str, change: str) -> tuple[Any, Written]:
    try:
        value, written = read_yaml_text(text)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"--set {change}: the value is not valid YAML: {problem}.") from None
    return value, written or ({(): ""} if value is None else {})


def _put(data: Any, keys: list[str], value: Any, annotation: Any, change: str) -> tuple[str, ...]:
    """Put `value` into `data` at `keys`; returns the place as `Written` has it."""
    key, rest = _split(data, keys, annotation)
    slot = _slot(data, key, change)
    inner = _annotation(annotation, key)
    if not rest:
        data[slot] = value
        return (key,)
    if isinstance(data, dict) and data.get(key) is None:
        data[key] = _default(annotation, key)
    below = data[slot]
    if not isinstance(below, dict | list):
        raise InputError(
            f"--set {change}: {key!r} is {below!r} in the recipe, which has no {rest[0]!r}. Set "
            f"{key!r} as a whole: --set '{key}={{{rest[0]}: ...}}'."
        )
    return (key, *_put(below, rest, value, inner, change))


def _split(data: Any, keys: list[str], annotation: Any) -> tuple[str, list[str]]:
    """The first key and the rest. Names of free choice, such as 'KSampler.cfg', may hold dots."""
    if not isinstance(data, dict) or inner_model(annotation, direct=True):
        return keys[0], keys[1:]
    for count in range(len(keys), 0, -1):
        if ".".join(keys[:count]) in data:
            return ".".join(keys[:count]), keys[count:]
    return ".".join(keys), []


def _slot(data: Any, key: str, change: str) -> Any:
    """`key` as what indexes `data`. Raises InputError for a place that a list does not have."""
    if isinstance(data, dict):
        return key
    if key.isdecimal() and int(key) < len(data):
        return int(key)
    places = f"the last is {len(data) - 1}" if data else "the list is empty"
    raise InputError(f"--set {change}: {key!r} is not an index of that list; {places}.")


def _annotation(annotation: Any, key: str) -> Any:
    """The type of what is at `key` of a value of type `annotation`."""
    model = inner_model(annotation, direct=True)
    if model:
        field = model.model_fields.get(key)
        return field.annotation if field else None
    if get_origin(annotation) in (list, dict):
        return get_args(annotation)[-1]
    containers = [each for each in get_args(annotation) if get_origin(each) in (list, dict)]
    return get_args(containers[-1])[-1] if containers else None


def _default(annotation: Any, key: str) -> Any:
    """What a recipe that leaves `key` out has there, as a file would say it."""
    model = inner_model(annotation, direct=True)
    field = model.model_fields.get(key) if model else None
    default = field.get_default(call_default_factory=True) if field else None
    if isinstance(default, list):
        return [_plain(each) for each in default]
    return _plain(default) if isinstance(default, BaseModel | dict) else {}


def _plain(value: Any) -> Any:
    """A default as a file would say it: nothing, where a model is so without a word."""
    if not isinstance(value, BaseModel):
        return value
    try:
        if type(value).model_validate({}) == value:
            return {}
    except ValidationError:  # it has a key that every file says
        pass
    return value.model_dump(mode="json", exclude_unset=True)


# Which model is where: pydantic's types, seen through lists, mappings and unions.


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
