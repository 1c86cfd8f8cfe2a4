"""A recipe's addresses as slots of its workflow: which takes a job field, a value of the sweep, a
picture or a literal."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError
from .defaults import class_words, image_counts, most_images, table_fields
from .field_text import field_names, fill, is_field, read_names
from .inputs import FileInput, PerClass
from .job import PICTURES
from .recipe import Recipe
from .targets.registry import is_setting
from .workflow.catalogue import Catalogue
from .workflow.dynamic_inputs import expand_class
from .workflow.graph import Graph, Slot, is_link, language_at
from .workflow.node_addresses import resolve

DIFFERENT = {"prompt", "seed", "index"}  # at least one of these must tell images apart


@dataclass(frozen=True)
class SlotBindings:
    """What each slot takes: the name of a job field, the address of a text with fields in it, of a
    sweep or of a picture, or a literal."""

    fields: dict[Slot, str]
    texts: dict[Slot, str]
    sweeps: dict[Slot, str]
    pictures: dict[Slot, str]
    literals: dict[Slot, Any]


def resolve_addresses(recipe: Recipe, graph: Graph, catalogue: Catalogue | None) -> SlotBindings:
    """The recipe's `bind` and `sweep`. Raises InputError, naming the address."""
    fields: dict[Slot, str] = {}
    texts: dict[Slot, str] = {}
    pictures: dict[Slot, str] = {}
    literals: dict[Slot, Any] = {}
    for address, value in recipe.bind.items():
        slot = resolve(graph, address, catalogue)
        if isinstance(value, FileInput):
            pictures[slot] = address
        elif isinstance(value, PerClass):
            _check_per_class(recipe, graph, slot, catalogue, address, value)
            texts[slot] = address
        elif names := field_names(value, f"bind {address!r}", table_fields(recipe)):
            if is_field(str(value)):
                fields[slot] = names[0]
            else:
                texts[slot] = address
        else:
            check_text(graph, slot, catalogue, value, f"bind {address!r}")
            literals[slot] = fill(value, str)
    sweeps = _sweeps(recipe, graph, catalogue)
    bound = fields.keys() | texts.keys() | pictures.keys() | literals.keys()
    twice = sweeps.keys() & bound
    if twice:
        raise InputError(
            f"{sweeps[twice.pop()]!r} appears under both 'bind' and 'sweep'; keep one."
        )
    return SlotBindings(fields, texts, sweeps, pictures, literals)


def _sweeps(recipe: Recipe, graph: Graph, catalogue: Catalogue | None) -> dict[Slot, str]:
    """The slots of `sweep`, their values checked."""
    slots: dict[Slot, str] = {}
    for address, values in recipe.sweep.items():
        if is_setting(address):
            continue
        slot = resolve(graph, address, catalogue)
        for value in values:
            check_text(graph, slot, catalogue, value, f"sweep {address!r}")
            names = field_names(value, f"sweep {address!r}", table_fields(recipe))
            if set(PICTURES) & set(names):
                raise InputError(f"sweep {address!r}: ${names[0]} is a picture. Bind it instead.")
        slots[slot] = address
    return slots


def check_text(
    graph: Graph, slot: Slot, catalogue: Catalogue | None, value: Any, where: str
) -> None:
    """Raises InputError, beginning with `where`, for a switch or a number that goes into a text:
    YAML reads `no` as false, and a server would draw "False".

    Without a catalogue, texts are the inputs of that name, and those of nodes that encode prompts.
    """
    if isinstance(value, str):
        return
    node = graph[slot.node_id]
    spec = expand_class(catalogue, node)
    declared = spec.inputs.get(slot.input) if spec else None
    encoded = language_at(node) is not None or isinstance(node["inputs"].get(slot.input), str)
    plain = slot.input.startswith("text") and encoded
    if declared.type == "STRING" if declared else plain:
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        example = {"true": "yes", "false": "no"}.get(shown, shown)
        raise InputError(
            f"{where}: the input takes text, but YAML reads {shown} there. Quote it, as in "
            f"{example!r}."
        )


def collect_fields(recipe: Recipe, fields: Mapping[Slot, str], bound: SlotBindings) -> set[str]:
    """All job fields that a workflow takes, alone or in a text of `bind` or `sweep`."""
    swept = [value for address in bound.sweeps.values() for value in recipe.sweep[address]]
    values = [value for address in bound.texts.values() for value in _each_value(recipe, address)]
    return {*fields.values(), *(name for text in (*values, *swept) for name in read_names(text))}


def _each_value(recipe: Recipe, address: str) -> list[Any]:
    """What is bound there; of a value for each class all."""
    value = recipe.bind[address]
    return list(value.root.values()) if isinstance(value, PerClass) else [value]


def _check_per_class(
    recipe: Recipe,
    graph: Graph,
    slot: Slot,
    catalogue: Catalogue | None,
    address: str,
    value: PerClass,
) -> None:
    where = f"bind {address!r}"
    value.check_classes(class_words(recipe), where)
    for name, each in value.root.items():
        check_text(graph, slot, catalogue, each, f"{where}, {name!r}")
        if set(PICTURES) & set(field_names(each, where, table_fields(recipe))):
            raise InputError(f"{where}, {name!r}: a picture cannot differ by class. Bind it alone.")


def batch_slot(recipe: Recipe, graph: Graph, where: str) -> Slot | None:
    """The one literal `batch_size` of the workflow, if it has exactly one.

    Raises InputError, naming `where`, when the recipe sets it and there is not one.
    """
    slots = [
        Slot(node_id, "batch_size")
        for node_id, node in graph.items()
        if "batch_size" in node["inputs"] and not is_link(node["inputs"]["batch_size"])
    ]
    if recipe.batch_size and len(slots) != 1:
        raise InputError(
            f"{where} has {len(slots)} nodes with a batch_size, so it is unclear which one "
            "the recipe's 'batch_size' sets. Remove it and set it under 'bind'."
        )
    return slots[0] if len(slots) == 1 else None


def images_a_job(recipe: Recipe, saved: int, nodes: int) -> int:
    """How many images a job brings: `saved` of each of its `nodes`, unless the recipe says.

    Raises InputError where that, or the images of a class, cannot be the same of each node.
    """
    many = recipe.images_per_job or saved * nodes
    counts = [("images_per_class", count) for count in image_counts(recipe).values()]
    for key, count in (("images_per_job", many), *counts):
        if count % nodes:
            less, more = count - count % nodes, count - count % nodes + nodes
            raise InputError(
                f"'{key}' is {count}, but 'save' names {nodes} nodes that return the same "
                f"number of images each. Write {f'{less} or {more}' if less else more}."
            )
    return many


def check_distinguishable(recipe: Recipe, used: Collection[str], where: str) -> None:
    """Raises InputError when all classes, or all images of a class, would be the same.

    `used`: the job fields that the workflow takes.
    """
    if any(isinstance(value, FileInput) and value.folder for value in recipe.bind.values()):
        return
    if not set(PICTURES).isdisjoint(used):
        return
    if (
        not set(used) & {"prompt", "class_name", "subject", "token", *table_fields(recipe)}
        and not any(isinstance(value, PerClass) for value in recipe.bind.values())
        and len(class_words(recipe)) > 1
    ):
        raise InputError(
            f"Nothing in {where} takes the prompt, so all classes would look the same. "
            "Bind it: 'Node title.text': $prompt."
        )
    if not set(used) & {*DIFFERENT, *table_fields(recipe)} and most_images(recipe) > 1:
        raise InputError(
            f"Nothing in {where} takes the seed, so all images of a class would be the same. "
            "Bind it: 'KSampler.seed': $seed."
        )
