"""A YAML file becomes a validated recipe; everything wrong with it becomes a sentence."""

import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from .errors import InputError
from .nearest import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """safe_load, minus aliases (a small file could grow without end) and repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()
            raise ComposerError(
                None, None, "aliases (*name) are not allowed in a recipe", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key must be plain text", key.start_mark)
            if key.value in seen:
                raise ConstructorError(
                    None, None, f"the key {key.value!r} is written twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_recipe_file(model: type[Model], path: Path, **changes: Any) -> Model:
    """The recipe in `path`, with `changes` (from the command line) in place of its own keys.

    Changes that are None are none. Raises InputError.
    """
    data = _read_yaml(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: a recipe is a list of 'key: value' lines; this file is not.")
    given = {key: value for key, value in changes.items() if value is not None}
    return parse_recipe_data(model, {**data, **given}, str(path))


def parse_recipe_data(model: type[Model], data: dict[str, Any], where: str) -> Model:
    """`data` as a `model`. Raises InputError naming `where`, the key, and the nearest known key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {_sentences(model, error)}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _read_yaml(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES:,} bytes; that is no recipe.")
        text = path.read_text(encoding="utf-8")
        # _Loader is a SafeLoader: it makes plain values only.
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except FileNotFoundError:
        raise InputError(f"There is no recipe at {path}.{_neighbours(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The recipe {path} cannot be read: {error}.") from None
    except yaml.MarkedYAMLError as error:
        raise InputError(f"{path}{_place(error)}: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from None


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _neighbours(path: Path) -> str:
    names = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
    return did_you_mean(path.name, names) if names else ""


def _sentences(model: type[BaseModel], error: ValidationError) -> str:
    """One sentence for each place; what several union members expected there is joined by "or"."""
    places: dict[str, list[Any]] = {}
    for problem in error.errors(include_url=False):
        places.setdefault(".".join(str(p) for p in _visible(problem["loc"])), []).append(problem)
    return " ".join(_sentence(model, place, problems) for place, problems in places.items())


def _sentence(model: type[BaseModel], place: str, problems: list[Any]) -> str:
    first = problems[0]
    if first["type"] == "extra_forbidden":
        return f"Unknown key '{place}'.{_nearest(model, first['loc'])}"
    if first["type"] == "missing":
        return f"The key '{place}' is missing."
    message = " or ".join(dict.fromkeys(_message(problem) for problem in problems))
    return f"'{place}': {message}." if place else f"{message}."


def _message(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return message.replace("Input should be", "must be").replace("dictionary", "mapping")


def _visible(loc: tuple[Any, ...]) -> list[Any]:
    """`loc` without pydantic's names of union members ("list[str]", "picture")."""
    return [part for part in loc if isinstance(part, int) or not _is_union_member(part)]


def _is_union_member(part: str) -> bool:
    plain = {"picture", "value", "bool", "int", "float", "str", "path", "constrained-str"}
    return "[" in part or part in plain


def _nearest(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    inner = _model_at(model, loc[:-1])
    return did_you_mean(str(loc[-1]), inner.model_fields) if inner else ""


def _model_at(model: Any, loc: Iterable[Any]) -> type[BaseModel] | None:
    """The model that the value at `loc` is validated by."""
    for part in loc:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(part)
            model = _inner(field.annotation) if field else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _inner(annotation: Any) -> Any:
    if get_origin(annotation) in (list, dict, Union, types.UnionType):
        inner = [_inner(part) for part in get_args(annotation)]
        models = [i for i in inner if isinstance(i, type) and issubclass(i, BaseModel)]
        return models[0] if models else None
    return annotation
