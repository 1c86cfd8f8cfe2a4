"""Syntax of the WebUI in prompts for nodes that read it as words."""

import re
from collections.abc import Iterator

from ..core.errors import InputError
from ..core.prompts import SLOTS
from ..core.webui_prompt.syntax import webui_syntax
from .binding import Binding
from .field_text import is_field
from .recipe import Recipe
from .settle import classes_of
from .workflow.encoders import language_at
from .workflow.graph import Graph, Slot, describe

_SLOT = re.compile(rf"\{{(?:{'|'.join(SLOTS)})\}}")


def check_prompts(recipe: Recipe, graphs: Binding, where: str) -> None:
    """Raises InputError where a text with <lora:…>, AND, BREAK or [a:b:0.5] goes to CLIP Text
    Encode, for which it is words.

    Looked at are the texts of the settled recipe; what the workflow itself says stays as it is.
    """
    graph = graphs.graphs.base
    takes = {**graphs.fields, **graphs.texts, **graphs.sweeps, **graphs.literals}
    encoders = [slot for slot in takes if language_at(graph[slot.node_id]) == "comfyui"]
    for slot in encoders:
        for what, text in _own(recipe, graphs, slot):
            _check_slots(what, text, where)
        for what, text in _texts(recipe, graphs, slot):
            found = webui_syntax(text)
            if found:
                raise InputError(_refusal(found, what, graph, slot, where))


def _check_slots(what: str, text: str, where: str) -> None:
    """Raises InputError for {class_name} and its like, which are letters outside of `prompts`."""
    found = _SLOT.search(text)
    if found:
        raise InputError(
            f"{where}: {found[0]} in {what} would be drawn as it stands: it works under 'prompts' "
            "alone. Write $class_name or $prompt here."
        )


def _texts(recipe: Recipe, graphs: Binding, slot: Slot) -> Iterator[tuple[str, str]]:
    """The recipe's texts that a slot takes, and where each stands."""
    names = graphs.names_at(slot)
    yield from _own(recipe, graphs, slot)
    prompts = recipe.prompts
    if prompts is None:
        return
    if "negative" in names:
        yield "the negative", prompts.negative
    if "prompt" in names:
        yield from ((f"template {n}", text) for n, text in enumerate(prompts.templates, 1))
        yield from ((f"context {n}", text) for n, text in enumerate(prompts.contexts, 1))
        yield from ((f"the words of {name!r}", words) for name, words in classes_of(recipe).items())
    for name, values in prompts.lists.items():
        yield from ((f"the list {name!r}", value) for value in values)


def _own(recipe: Recipe, graphs: Binding, slot: Slot) -> Iterator[tuple[str, str]]:
    """The texts that are bound to the slot itself."""
    if slot in graphs.texts:
        yield "the text of 'bind'", graphs.words[graphs.texts[slot]]
    if isinstance(graphs.literals.get(slot), str):
        yield "the text of 'bind'", graphs.literals[slot]
    address = graphs.sweeps.get(slot, "")
    for value in recipe.sweep.get(address, ()):
        if isinstance(value, str) and not is_field(value):
            yield f"the sweep of {address!r}", value


def _refusal(found: str, what: str, graph: Graph, slot: Slot, where: str) -> str:
    lower = found.lower() if found in ("AND", "BREAK") else None
    otherwise = f"Or write {lower!r}, if the word is meant." if lower else "Or take it out."
    return (
        f"{where}, {describe(graph, slot.node_id)}: {found!r} in {what} is syntax of the WebUI, "
        f"and this node reads it as words. Put the node WebUI Prompt in its place. {otherwise}"
    )
