"""The kinds of servers. A new one is a folder beside this file, and its name in FOLDERS."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from ..inputs import StrictModel

if TYPE_CHECKING:  # types alone
    from .base import Kind

FOLDERS = (".comfyui", ".webui")


def kinds() -> "tuple[Kind, ...]":
    """All kinds, in the order in which they compile a recipe's jobs."""
    return tuple(import_module(folder, __package__).KIND for folder in FOLDERS)


def kind_at(url: str) -> "Kind":
    """The kind of the server at an address of a recipe, by what stands before it."""
    fitting = (kind for kind in kinds() if url.startswith(kind.prefix))
    return max(fitting, key=lambda kind: len(kind.prefix))


def address_forms() -> list[str]:
    """How addresses are written, of all kinds."""
    return [form for kind in kinds() for form in kind.forms]


def setting_keys() -> list[str]:
    """The keys of recipes that are a kind's."""
    return [kind.name for kind in kinds() if kind.settings]


def is_setting(address: str) -> bool:
    """Whether an address of a recipe's sweep is a setting of some kind, and not a node's input."""
    return any(kind.owns(address) for kind in kinds())


_keys: dict[str, Any] = {
    kind.name: (kind.settings | None, Field(default=None, description=kind.description))
    for kind in kinds()
    if kind.settings
}
TargetKeys: type[StrictModel] = create_model("TargetKeys", __base__=StrictModel, **_keys)
"""A recipe's keys that are a kind's, each named as its kind and None where it is left out."""
