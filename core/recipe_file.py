"""A YAML file becomes a validated recipe; everything wrong with it becomes a sentence."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .counted import did_you_mean
from .errors import InputError
from .file_kinds import KINDS, TEXT, refuse_other
from .recipe_changes import apply_changes, model_at
from .recipe_names import find_recipe
from .recognise import BY_NAME, BY_SUFFIX, recognise, recognise_data
from .yaml_file import Written, quote, read_yaml

NO_YAML = {suffix for suffix, kind in BY_SUFFIX.items() if kind is not TEXT}
Model = TypeVar("Model", bound=BaseModel)


def read_recipe_file(
    model: type[Model], path: Path, settings: Sequence[str] | None = None, **changes: Any
) -> Model:
    """The recipe at `path`, or the one of that name that manyshot brings, with what the command
    line says in place of its own keys: `settings` as `--set` has them, then `changes` by key.

    Changes that are None are none. Raises InputError.
    """
    path = find_recipe(path)
    data, written = read_recipe_values(model, path)
    return change_recipe(model, data, written, path, settings, **changes)


def change_recipe(
    model: type[Model],
    data: dict[str, Any],
    written: Written,
    path: Path,
    settings: Sequence[str] | None = None,
    **changes: Any,
) -> Model:
    """The recipe that `data` of the file at `path` is, after `settings` and `changes`, as
    `read_recipe_file` has them. Raises InputError."""
    data, written = apply_changes(model, data, written, settings or ())
    overrides = {key: value for key, value in changes.items() if value is not None}
    where = " ".join([str(path), *(f"--set {change}" for change in settings or ())])
    return parse_recipe_data(model, {**data, **overrides}, where, written)


def read_recipe_values(model: type[BaseModel], path: Path) -> tuple[dict[str, Any], Written]:
    """The keys and values of a recipe file, as `read_yaml` gives them, not yet checked.

    Raises InputError for a file of another kind, saying what it is and which command takes it.
    """
    kind = next((each for each in KINDS if each.keys <= model.model_fields.keys()), None)
    needed = kind.name if kind else f"a {model.__name__.lower()}"
    if path.is_dir() or path.suffix.lower() in NO_YAML or path.name in BY_NAME:
        refuse_other(path, recognise(path), needed)
    data, written = read_yaml(path)
    if not isinstance(data, dict):
        refuse_other(path, recognise(path), needed)
        raise InputError(f"{path}: a recipe is a list of 'key: value' lines; this file is not.")
    refuse_other(path, recognise_data(data), needed, kind)
    return data, written


def parse_recipe_data(
    model: type[Model], data: dict[str, Any], where: str, written: Written | None = None
) -> Model:
    """`data` as a `model`; `written`: what its file says, as `read_yaml` gives it.

    Raises InputError naming `where`, the key, and the nearest known key.
    """
    try:
        _check_text(data)
        recipe = model.model_validate(data)
        _check_numbers(data, recipe)
    except ValidationError as error:
        raise InputError(f"{where}: {_sentences(model, error, written or {})}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return recipe


def _check_text(value: Any, place: tuple[str, ...] = ()) -> None:
    """Raises InputError for characters that no text and no path can hold: NUL, and halves of those
    that UTF-16 writes as two. The text itself, which may be a secret, is not shown."""
    if isinstance(value, str):
        if bad := re.search("[\0\ud800-\udfff]", value):
            where = f"The text of {'.'.join(place)!a}" if place else "A text"
            raise InputError(f"{where} contains the character {bad[0]!a}. Remove it.")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name, place)
            _check_text(item, (*place, str(name)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_text(item, (*place, str(number)))


def _check_numbers(written: Any, read: Any, place: tuple[str, ...] = ()) -> None:
    """Raises InputError for yes and no where a number belongs: pydantic reads them as 1 and 0."""
    if isinstance(written, bool) and isinstance(read, int | float) and not isinstance(read, bool):
        value = str(written).lower()
        raise InputError(f"{'.'.join(place)!r}: YAML reads {value} here, but a number is expected.")
    if isinstance(written, dict):
        for name, value in written.items():
            values = read if isinstance(read, dict) else getattr(read, "__dict__", {})
            _check_numbers(value, values.get(name), (*place, str(name)))
    elif isinstance(written, list) and isinstance(read, list | tuple) and len(written) == len(read):
        for number, pair in enumerate(zip(written, read, strict=True)):
            _check_numbers(*pair, (*place, str(number)))


def _sentences(model: type[BaseModel], error: ValidationError, written: Written) -> str:
    """One sentence for each place; what several union members expected there is joined by "or".

    Where a text lacks its quotes, nothing is said of what contains it.
    """
    places: dict[tuple[str, ...], list[Any]] = {}
    for problem in error.errors(include_url=False):
        place = tuple(str(key) for key in _visible(model, problem["loc"]))
        places.setdefault(place, []).append(problem)
    texts = [place for place, problems in places.items() if _wants_text(problems)]
    return " ".join(
        _sentence(model, place, problems, written)
        for place, problems in places.items()
        if not any(text[: len(place)] == place != text for text in texts)
    )


def _sentence(
    model: type[BaseModel], place: tuple[str, ...], problems: list[Any], written: Written
) -> str:
    first, name = problems[0], ".".join(place)
    if first["type"] == "extra_forbidden":
        return f"Unknown key '{name}'.{_nearest(model, first['loc'])}"
    if first["type"] == "missing":
        return f"The key '{name}' is missing."
    home = written.get(place) == "~" and _wants_path(problems)
    if first["input"] is None and written.get(place) in ("", "~") and not home:
        return f"'{name}': there is no value. Write '' for an empty text, or omit the key."
    if _wants_text(problems):
        return f"'{name}': {_not_text(first['input'], written.get(place))}"
    explained = [problem for problem in problems if problem["type"] == "value_error"] or problems
    message = " or ".join(dict.fromkeys(_message(problem) for problem in explained))
    if first["type"] == "list_type" and isinstance(first["input"], str):
        message += f", such as [{quote(first['input'])}]"
    elif place in written and _wants_path(problems):
        message += f"; quote it if it is one: {quote(written[place])}"
    return f"'{name}': {message}." if place else f"{message}."


def _wants_path(problems: list[Any]) -> bool:
    return any(problem["type"] == "path_type" for problem in problems)


def _wants_text(problems: list[Any]) -> bool:
    """Whether a text is wanted, and a plain value of another kind is there."""
    texts = [problem for problem in problems if problem["type"] == "string_type"]
    return bool(texts) and (len(problems) == 1 or texts[0]["input"] is None)


def _not_text(value: Any, text: str | None) -> str:
    """What is wrong with a value where a text belongs, and how to write one."""
    if isinstance(value, list):
        joined = quote(", ".join(map(str, value)))
        return f"this is a list, but a single text is expected. Write one, such as {joined}."
    if isinstance(value, dict):
        return (
            "text with a brace or a colon needs quotes, or YAML reads it as a mapping. "
            "Quote it, as in '{class_name}, a photo'."
        )
    shown = str(value) if text is None else text
    kind = str(value).lower() if isinstance(value, bool) else "a number"
    kind = "nothing" if value is None else kind
    return f"YAML reads {shown} as {kind}, but text is expected. Quote it: {quote(shown)}."


def _message(problem: Any) -> str:
    if problem["type"] == "path_type":
        return "must be a path"
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return message.replace("Input should be", "must be").replace("dictionary", "mapping")


def _visible(model: type[BaseModel], loc: tuple[Any, ...]) -> list[Any]:
    """`loc` without pydantic's names of union members ("list[str]", "picture"); a key may be
    called like one of them."""
    return [
        key
        for depth, key in enumerate(loc)
        if isinstance(key, int) or not _is_union_member(key) or _is_key(model, loc[:depth], key)
    ]


def _is_key(model: type[BaseModel], above: tuple[Any, ...], key: str) -> bool:
    inner = model_at(model, above)
    return inner is not None and key in inner.model_fields


def _is_union_member(key: str) -> bool:
    plain = {
        "picture",
        "value",
        "per class",
        "bool",
        "int",
        "float",
        "str",
        "path",
        "constrained-str",
    }
    return "[" in key or "(" in key or key in plain


def _nearest(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    inner = model_at(model, loc[:-1])
    return did_you_mean(str(loc[-1]), inner.model_fields) if inner else ""
