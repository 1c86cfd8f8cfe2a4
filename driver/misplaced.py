"""Syntax of the WebUI, and of ComfyUI's page, in texts for nodes that read it as words."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.prompts import SLOTS
from ..core.webui_prompt import PLAIN
from ..core.webui_prompt.read import webui_syntax
from .defaults import class_words, find_table
from .field_text import is_field
from .inputs import PerClass
from .prompt_settings import Prompts
from .prompt_table import PromptTable
from .recipe import Recipe
from .word_list_files import read_word_lists
from .workflow.graph import Graph, Slot, describe, is_link, language_at

if TYPE_CHECKING:  # types alone
    from .binding import Binding

_CHOICE = re.compile(r"\{[^{}]*\|[^{}]*\}")
_TEXT_NODES = ("PrimitiveString", "StringConcatenate")  # pass on what stands in them
_SLOT = re.compile(rf"\{{(?:{'|'.join(SLOTS)})\}}")


def check_prompts(recipe: Recipe, graphs: "Binding", where: str) -> None:
    """Raises InputError where a text with <lora:…>, AND, BREAK or [a:b:0.5] goes to CLIP Text
    Encode, for which it is words, and where one with {a|b} goes there past 'prompts': ComfyUI's
    page draws one of the words, its server none.

    Looked at are the texts of the settled recipe, and those of the workflow that nothing is bound
    to; also where a node of text alone is between.
    """
    graph = graphs.graphs.base
    takes = {**graphs.fields, **graphs.texts, **graphs.sweeps, **graphs.literals}
    for slot, encoder in _read_as_words(graph, takes):
        if slot not in takes:
            written = graph[slot.node_id]["inputs"][slot.input]
            texts = [("the workflow's own text", written)] if isinstance(written, str) else []
            verbatim = texts
        else:
            verbatim, texts = [*_own(recipe, graphs, slot)], [*_texts(recipe, graphs, slot)]
        for what, text in verbatim:
            _check_own(what, text, graph, encoder, where, slot in takes)
        for what, text in texts:
            syntax = webui_syntax(text)
            if syntax:
                raise InputError(_refusal(syntax, what, graph, encoder, where))


def _read_as_words(graph: Graph, bound: Iterable[Slot]) -> Iterator[tuple[Slot, str]]:
    """The inputs of CLIP Text Encode and its like, and of nodes that pass on a text to one, each
    with the node that encodes it; those that are not set but `bound`, too."""
    slots = {Slot(node_id, name) for node_id, node in graph.items() for name in node["inputs"]}
    every = sorted(slots.union(bound))
    for encoder, node in graph.items():
        if language_at(node) == PLAIN:
            for node_id in _text_sources(graph, encoder):
                yield from ((slot, encoder) for slot in every if slot.node_id == node_id)


def _text_sources(graph: Graph, encoder: str) -> list[str]:
    """An encoder, and the nodes of text alone that lead to it."""
    sources = [encoder]
    for node_id in sources:
        links = [value[0] for value in graph[node_id]["inputs"].values() if is_link(value)]
        sources += [
            source
            for source in links
            if source in graph
            and source not in sources
            and graph[source]["class_type"].startswith(_TEXT_NODES)
        ]
    return sources


def _check_own(
    what: str, text: str, graph: Graph, encoder: str, where: str, is_bound: bool
) -> None:
    """Raises InputError for what works under `prompts` alone."""
    if is_bound:
        _check_slots(what, text, where)
    choice = _CHOICE.search(text)
    if choice:
        raise InputError(
            f"{where}, {describe(graph, encoder)}: {choice[0]!r} in {what} is a choice that "
            "ComfyUI's front end resolves and its server does not: it would be used "
            "literally. Put the text under 'prompts' and bind the input to $prompt or "
            "$negative, or keep one of the words."
        )


def _check_slots(what: str, text: str, where: str) -> None:
    """Raises InputError for {class_name} and its like, which are letters outside of `prompts`."""
    match = _SLOT.search(text)
    if match:
        raise InputError(
            f"{where}: {match[0]} in {what} would be used literally: it works only under "
            "'prompts'. Write $class_name or $prompt here."
        )


def _texts(recipe: Recipe, graphs: "Binding", slot: Slot) -> Iterator[tuple[str, str]]:
    """The recipe's texts that a slot takes, and where each stands."""
    names = graphs.names_at(slot)
    yield from _own(recipe, graphs, slot)
    prompts = recipe.prompts
    if prompts is None:
        return
    if "negative" in names:
        yield from (("the negative", text) for text in _negatives(prompts))
    if table := find_table(recipe):
        yield from _rows(table, names)
        return
    if "prompt" in names:
        yield from ((f"template {n}", text) for n, text in enumerate(prompts.templates, 1))
        yield from ((f"context {n}", text) for n, text in enumerate(prompts.contexts, 1))
        texts = (
            text
            for each in prompts.per_class.values()
            for text in (*(each.templates or ()), *(each.contexts or ()))
        )
        yield from (("'prompts.per_class'", text) for text in texts)
        yield from (
            (f"the words of {name!r}", words) for name, words in class_words(recipe).items()
        )
    for name, values in read_word_lists(prompts.lists).items():
        yield from ((f"the list {name!r}", value) for value in values)


def _negatives(prompts: Prompts) -> Iterator[str]:
    yield prompts.negative
    yield from (each.negative for each in prompts.per_class.values() if each.negative)


def _rows(table: PromptTable, names: Collection[str]) -> Iterator[tuple[str, str]]:
    for row in (row for rows in table.rows.values() for row in rows):
        if "prompt" in names:
            yield f"row {row.number}", row.prompt
        if "negative" in names and row.negative:
            yield f"row {row.number}", row.negative


def _own(recipe: Recipe, graphs: "Binding", slot: Slot) -> Iterator[tuple[str, str]]:
    """The texts that are bound to the slot itself."""
    if slot in graphs.texts:
        words = graphs.words[graphs.texts[slot]]
        each = words.root.values() if isinstance(words, PerClass) else [words]
        yield from (("the text of 'bind'", text) for text in each if isinstance(text, str))
    if isinstance(graphs.literals.get(slot), str):
        yield "the text of 'bind'", graphs.literals[slot]
    address = graphs.sweeps.get(slot, "")
    for value in recipe.sweep.get(address, ()):
        if isinstance(value, str) and not is_field(value):
            yield f"the sweep of {address!r}", value


def _refusal(syntax: str, what: str, graph: Graph, encoder: str, where: str) -> str:
    lower = syntax.lower() if syntax in ("AND", "BREAK") else None
    otherwise = f"Or write {lower!r}, if you mean the word." if lower else "Or remove it."
    return (
        f"{where}, {describe(graph, encoder)}: {syntax!r} in {what} is WebUI syntax, which "
        f"this node reads as plain words. Replace the node with WebUI Prompt. {otherwise}"
    )
