"""A recipe's addresses as slots of its workflow: which takes a job field, a value of the sweep, a
picture or a literal."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError
from ..core.nearest import did_you_mean
from .inputs import FileInput
from .job_fields import JOB_FIELDS
from .pairs.scenes import PICTURES, TEXTS
from .recipe import Recipe
from .settle import classes_of, images_per_class
from .workflow.binding import resolve
from .workflow.catalogue import Catalogue
from .workflow.graph import Graph, Slot, is_link

WEBUI = "webui."  # addresses of the recipe's own key, not of a node
DIFFERENT = {"prompt", "seed", "index"}  # at least one of these must tell images apart


@dataclass(frozen=True)
class Addressed:
    """What each slot takes: the name of a job field, the address of a sweep or of a picture, or a
    literal."""

    fields: dict[Slot, str]
    sweeps: dict[Slot, str]
    pictures: dict[Slot, str]
    literals: dict[Slot, Any]


def addressed(recipe: Recipe, graph: Graph, catalogue: Catalogue | None) -> Addressed:
    """The recipe's `bind` and `sweep`. Raises InputError, naming the address."""
    fields: dict[Slot, str] = {}
    pictures: dict[Slot, str] = {}
    literals: dict[Slot, Any] = {}
    for address, value in recipe.bind.items():
        slot = resolve(graph, address, catalogue)
        if isinstance(value, FileInput):
            pictures[slot] = address
        elif isinstance(value, str) and value.startswith("$") and not value.startswith("$$"):
            fields[slot] = _field(address, value)
        else:
            literals[slot] = value.removeprefix("$") if isinstance(value, str) else value
    swept = [address for address in recipe.sweep if not address.startswith(WEBUI)]
    sweeps = {resolve(graph, address, catalogue): address for address in swept}
    twice = sweeps.keys() & (fields.keys() | pictures.keys() | literals.keys())
    if twice:
        raise InputError(
            f"{sweeps[twice.pop()]!r} stands under 'bind' and under 'sweep'; keep one."
        )
    return Addressed(fields, sweeps, pictures, literals)


def batch_slot(recipe: Recipe, graph: Graph, where: str) -> Slot | None:
    """The one literal `batch_size` of the workflow, if it has exactly one.

    Raises InputError, naming `where`, when the recipe sets it and there is not one.
    """
    found = [
        Slot(node_id, "batch_size")
        for node_id, node in graph.items()
        if "batch_size" in node["inputs"] and not is_link(node["inputs"]["batch_size"])
    ]
    if recipe.batch_size and len(found) != 1:
        raise InputError(
            f"{where} has {len(found)} nodes with a batch_size, so the recipe's 'batch_size' does "
            "not say which to set. Take it out of the recipe and set it under 'bind'."
        )
    return found[0] if len(found) == 1 else None


def check_told_apart(recipe: Recipe, used: Collection[str], where: str) -> None:
    """Raises InputError when all classes, or all images of a class, would be the same.

    `used`: the job fields that the workflow takes.
    """
    if any(isinstance(value, FileInput) and value.folder for value in recipe.bind.values()):
        return
    if not set(PICTURES).isdisjoint(used):
        return
    if not set(used) & {"prompt", "class_name", "subject", "token"} and len(classes_of(recipe)) > 1:
        raise InputError(
            f"Nothing in {where} takes the prompt, so all classes would look the same. "
            "Bind it: 'Node title.text': $prompt."
        )
    if not set(used) & DIFFERENT and images_per_class(recipe) > 1:
        raise InputError(
            f"Nothing in {where} takes the seed, so all images of a class would be the same. "
            "Bind it: 'KSampler.seed': $seed."
        )


def _field(address: str, value: str) -> str:
    name = value.removeprefix("$")
    known = [*JOB_FIELDS, *PICTURES, *TEXTS]
    if name not in known:
        raise InputError(
            f"bind {address!r}: there is no job field {value!r}.{did_you_mean(name, known)} "
            f"(Write '$${name}' for that text itself.)"
        )
    return name
