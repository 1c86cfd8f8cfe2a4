"""Settings as a tree: every value has a key, such as `steps` or `controlnet.0.weight`."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from ....core.counted import did_you_mean
from ....core.errors import InputError
from ...inputs import FileInput
from .webui_settings import WebUISettings

Key = str


def map_leaves(value: Any, leaf: Callable[[Key, Any], Any], key: Key = "") -> Any:
    """The tree below `value` as dicts and lists, each leaf replaced by what `leaf` makes of it."""
    if isinstance(value, list):
        return [map_leaves(item, leaf, f"{key}.{number}") for number, item in enumerate(value)]
    if isinstance(value, BaseModel) and not isinstance(value, FileInput):
        above = f"{key}." if key else ""
        names = type(value).model_fields
        return {name: map_leaves(getattr(value, name), leaf, above + name) for name in names}
    return leaf(key, value)


def leaves(settings: WebUISettings) -> dict[Key, Any]:
    """Key -> value, of all values."""
    values: dict[Key, Any] = {}
    map_leaves(settings, values.setdefault)
    return values


def check_value(settings: WebUISettings, key: Key, value: Any) -> None:
    """Raises InputError when `settings` have no such key, or it cannot have that value."""
    keys = leaves(settings)
    if key not in keys:
        raise InputError(f"'sweep': there is no 'webui.{key}'.{did_you_mean(key, keys)}")
    try:
        WebUISettings.model_validate(
            map_leaves(settings, lambda k, old: value if k == key else _plain(old))
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise InputError(f"'sweep': webui.{key} cannot be {value!r}: {reason}.") from None


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, FileInput) else value
