"""Settings as a tree: every value has a key, such as `steps` or `controlnet.0.weight`."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from ...core.errors import InputError
from ...core.nearest import did_you_mean
from ..inputs import FileInput
from .settings import WebUISettings

Key = str


def mapped(value: Any, leaf: Callable[[Key, Any], Any], key: Key = "") -> Any:
    """The tree below `value` as dicts and lists, each leaf replaced by what `leaf` makes of it."""
    if isinstance(value, list):
        return [mapped(one, leaf, f"{key}.{number}") for number, one in enumerate(value)]
    if isinstance(value, BaseModel) and not isinstance(value, FileInput):
        above = f"{key}." if key else ""
        names = type(value).model_fields
        return {name: mapped(getattr(value, name), leaf, above + name) for name in names}
    return leaf(key, value)


def leaves(settings: WebUISettings) -> dict[Key, Any]:
    """Key -> value, of all values."""
    found: dict[Key, Any] = {}
    mapped(settings, found.setdefault)
    return found


def check_value(settings: WebUISettings, key: Key, value: Any) -> None:
    """Raises InputError when `settings` have no such key, or it cannot have that value."""
    known = leaves(settings)
    if key not in known:
        raise InputError(f"'sweep': there is no 'webui.{key}'.{did_you_mean(key, known)}")
    try:
        WebUISettings.model_validate(
            mapped(settings, lambda k, old: value if k == key else _plain(old))
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise InputError(f"'sweep': webui.{key} cannot be {value!r}: {reason}.") from None


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, FileInput) else value
