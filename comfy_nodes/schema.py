"""A node's schema, as each generation of ComfyUI can take it."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from comfy_api.latest import io


def node_schema(search_aliases: Sequence[str] = (), **facts: Any) -> io.Schema:
    """`io.Schema(**facts)`; other words that find the node go along where ComfyUI takes them.

    0.3.75 does not, and an argument that it does not know would cost it the whole pack.
    """
    if "search_aliases" in {field.name for field in fields(io.Schema)}:
        facts["search_aliases"] = list(search_aliases)
    return io.Schema(**facts)
