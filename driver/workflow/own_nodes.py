"""manyshot's own nodes bind themselves: which of their inputs and outputs are which job field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from .graph import Graph, Slot, describe, id_order, links
from .replace_loader import replace_loader

CLASS_PROMPTS = "ManyshotClassPrompts"
SUBJECT_PROMPTS = "ManyshotSubjectPrompts"  # the same for one subject, with the same outputs
MASK_PROMPTS = "ManyshotMaskPrompts"  # the same for masks
PROMPT_NODES = (CLASS_PROMPTS, SUBJECT_PROMPTS, MASK_PROMPTS)
SAVE_LABELLED = "ManyshotSaveLabelled"
CONTACT_SHEET = "ManyshotContactSheet"
SUBJECT = "ManyshotSubject"

# Output index of the PROMPT_NODES -> job field.
CLASS_PROMPTS_OUTPUTS = ("prompt", "negative", "class_name", "seed")

# Input of ManyshotSaveLabelled -> job field.
SAVE_LABELLED_FIELDS = {
    "class_name": "class_name",
    "prompt": "prompt",
    "negative": "negative",
    "seed": "seed",
    "name": "job_id",
}
# Input of ManyshotSubject -> job field, where the recipe names subjects.
SUBJECT_FIELDS = {"subject": "subject", "token": "token"}
# Draw something by a seed of their own: the job's.
SEEDED = ("ManyshotVaryMask", "ManyshotMixedStrengths")
SAVE_LABELLED_DELIVERY = "delivery"
SAVE_LABELLED_FOLDER = "folder"
SAVE_LABELLED_SOURCE = "source_image"


@dataclass(frozen=True)
class Folded:
    """A graph without its node of PROMPT_NODES, and with stock nodes in place of Load Labelled;
    `fields` says which job field each slot takes."""

    graph: Graph
    fields: Mapping[Slot, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The inputs of the removed node; empty when there was none."""


def fold(
    graph: Graph, where: str = "the workflow", subjects: bool = False, pairs: bool = False
) -> Folded:
    """Take the node of PROMPT_NODES out of `graph` and list the slots that manyshot's nodes bind.

    `subjects`: the recipe names some, so that ManyshotSubject takes the job's in place of its own.
    `pairs`: it names labelled photos, which Load Labelled stands for. An input that was linked to
    the removed node holds None until it is bound. Contact sheets that nothing is linked to are left
    out: a job draws too few images for one, and the run draws its own.

    Raises InputError when there are several such nodes, a link to an output that the node does not
    have, or Load Labelled without `pairs`.
    """
    graph, fields = replace_loader(_without_sheets(graph), where, pairs)
    sources = sorted((i for i in graph if graph[i]["class_type"] in PROMPT_NODES), key=id_order)
    if len(sources) > 1:
        shown = " and ".join(describe(graph, node_id) for node_id in sources[:3])
        kind = graph[sources[0]]["class_type"]
        raise InputError(f"{where} has {len(sources)} {kind} nodes, {shown}. Keep one.")
    removed = sources[0] if sources else None
    fields = fields | _find_linked_fields(graph, removed, where)
    fields |= _fields(graph, SAVE_LABELLED, SAVE_LABELLED_FIELDS)
    for class_type in SEEDED:
        fields |= _fields(graph, class_type, {"seed": "seed"})
    if subjects:
        fields |= _fields(graph, SUBJECT, SUBJECT_FIELDS)
    settings = dict(graph[removed]["inputs"]) if removed is not None else {}
    return Folded(_cut(graph, removed, fields), fields, settings)


def _without_sheets(graph: Graph) -> Graph:
    used = {origin for node in graph.values() for _, origin, _ in links(node)}
    return {
        node_id: node
        for node_id, node in graph.items()
        if node["class_type"] != CONTACT_SHEET or node_id in used
    }


def _find_linked_fields(graph: Graph, source: str | None, where: str) -> dict[Slot, str]:
    """The job field of every input linked to the node of PROMPT_NODES."""
    fields: dict[Slot, str] = {}
    for node_id, node in graph.items():
        for name, origin, output in links(node):
            if origin != source:
                continue
            if not 0 <= output < len(CLASS_PROMPTS_OUTPUTS):
                raise InputError(
                    f"{where}: {name!r} of {describe(graph, node_id)} is linked to output "
                    f"{output} of {describe(graph, origin)}, which has outputs 0 to "
                    f"{len(CLASS_PROMPTS_OUTPUTS) - 1}."
                )
            fields[Slot(node_id, name)] = CLASS_PROMPTS_OUTPUTS[output]
    return fields


def _fields(graph: Graph, class_type: str, names: Mapping[str, str]) -> dict[Slot, str]:
    """The job fields that all nodes of one class take."""
    return {
        Slot(node_id, name): job_field
        for node_id, node in graph.items()
        if node["class_type"] == class_type
        for name, job_field in names.items()
    }


def _cut(graph: Graph, removed: str | None, fields: Mapping[Slot, str]) -> Graph:
    """`graph` without the node `removed`; inputs that are slots hold None, so no link hangs."""
    remaining: Graph = {}
    for node_id, node in graph.items():
        if node_id == removed:
            continue
        freed = {slot.input: None for slot in fields if slot.node_id == node_id}
        remaining[node_id] = {**node, "inputs": {**node["inputs"], **freed}} if freed else node
    return remaining
