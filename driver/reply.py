"""Parts of a server's reply, of the kind that they must have: a server may send anything."""

from collections.abc import Mapping
from typing import Any


def items(value: Any) -> list[Any]:
    """A list as it is; none of anything else."""
    return value if isinstance(value, list) else []


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none of anything else."""
    return [item for item in items(value) if isinstance(item, dict)]


def fields(value: Any) -> Mapping[str, Any]:
    """An object as it is; an empty one of anything else."""
    return value if isinstance(value, dict) else {}


def whole(value: Any) -> int:
    """A whole number as it is; 0 of anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
