"""Nodes that encode the words of a prompt, and the language that each of them reads."""

from collections.abc import Mapping
from typing import Any

from ...core.webui_prompt import PLAIN, WEBUI, Language
from .graph import Graph

PROMPT_NODE = "ManyshotWebUIPrompt"
TEXT_ENCODE = "CLIPTextEncode"  # and its variants, which have the beginning of their names alike


def language_at(node: Mapping[str, Any]) -> Language | None:
    """What the texts of a node are in; None where they are not known to be prompts."""
    if node["class_type"] == PROMPT_NODE:
        return WEBUI
    return PLAIN if node["class_type"].startswith(TEXT_ENCODE) else None


def find_language(graph: Graph) -> Language:
    """What the prompts of a workflow are in."""
    native = any(language_at(node) == WEBUI for node in graph.values())
    return WEBUI if native else PLAIN
