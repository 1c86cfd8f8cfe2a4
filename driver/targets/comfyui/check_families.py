"""Whether the ControlNets of a plan fit its models, as far as the server tells.

Servers with manyshot's nodes answer `/manyshot/families`; of others nothing is known here, and
their own errors come when the job runs.
"""

from collections.abc import Iterator, Mapping

from pydantic import TypeAdapter, ValidationError

from ....core.errors import InputError, ServerError
from ....core.model_family import ModelFacts, explain_incompatibility
from ...plan import Plan
from ...workflow.catalogue import COMBO, Catalogue, split_types
from ...workflow.dynamic_inputs import expand_class
from ...workflow.graph import Graph, describe, links
from .comfy_client import Comfy

Families = Mapping[str, Mapping[str, ModelFacts]]
"""Folder ("checkpoints", "diffusion_models", "controlnet") -> file name -> what it is."""

CONTROL_NODE = "ManyshotControlNet"
MODEL, CONTROL = frozenset({"MODEL"}), frozenset({"CONDITIONING", "CONTROL_NET"})
_reply: TypeAdapter[dict[str, dict[str, ModelFacts]]] = TypeAdapter(
    dict[str, dict[str, ModelFacts]]
)


def check_families(plan: Plan, catalogue: Catalogue, server: str, comfy: Comfy) -> None:
    """Raises InputError, naming both and those that fit, for a ControlNet of another family than
    the model that it is to steer."""
    graphs = [plan.graphs.graph(job, "0") for job in plan.samples()]
    if not any(_has_control(graph, catalogue) for graph in graphs):
        return
    families = server_families(comfy)
    mismatches = dict.fromkeys(
        text for graph in graphs for text in find_mismatches(graph, catalogue, families)
    )
    if mismatches:
        where = plan.recipe.workflow_name
        shown = " ".join(f"{where}, {text}" for text in list(mismatches)[:3])
        raise InputError(f"The server {server} cannot run this. {shown}")


def server_families(comfy: Comfy) -> Families:
    """What the server says of its files; nothing when it does not know the question."""
    try:
        return _reply.validate_python(comfy.families())
    except (ServerError, ValidationError):
        return {}


def find_mismatches(graph: Graph, catalogue: Catalogue, server_models: Families) -> Iterator[str]:
    """A sentence for every ControlNet that cannot steer the model of its sampler."""
    models = {**server_models.get("diffusion_models", {}), **server_models.get("checkpoints", {})}
    controls = server_models.get("controlnet", {})
    for node_id in graph:
        if not _takes(graph, node_id, catalogue, MODEL):
            continue
        steered = dict(_find_chosen(graph, node_id, catalogue, MODEL, models))
        families = {models[name].family for name in steered}
        if len(families) != 1:
            continue  # none that is known, or several: which one samples is not seen here
        family, model = families.pop(), next(iter(steered))
        fitting = [name for name, facts in controls.items() if facts.family == family]
        for name, place in _find_chosen(graph, node_id, catalogue, CONTROL, controls):
            text = explain_incompatibility(name, controls[name], model, family, fitting)
            if text:
                yield f"{describe(graph, place)}: {text}"


def _find_chosen(
    graph: Graph,
    start: str,
    catalogue: Catalogue,
    kinds: frozenset[str],
    files: Mapping[str, ModelFacts],
) -> Iterator[tuple[str, str]]:
    """Files of `known` that are chosen upstream of a node along links of `kinds`, with the node."""
    for node_id in _upstream(graph, start, catalogue, kinds):
        spec = expand_class(catalogue, graph[node_id])
        for name, value in graph[node_id]["inputs"].items():
            chosen = spec and name in spec.inputs and spec.inputs[name].type == COMBO
            if chosen and isinstance(value, str) and value in files:
                yield value, node_id


def _upstream(
    graph: Graph, start: str, catalogue: Catalogue, kinds: frozenset[str]
) -> dict[str, None]:
    visited: dict[str, None] = {}
    waiting = [start]
    while waiting:
        node_id = waiting.pop()
        if node_id not in visited:
            visited[node_id] = None
            waiting += _takes(graph, node_id, catalogue, kinds)
    return visited


def _takes(graph: Graph, node_id: str, catalogue: Catalogue, kinds: frozenset[str]) -> list[str]:
    """The nodes from which a node gets what is of `kinds`."""
    sources = []
    for _, source, output in links(graph[node_id]):
        spec = catalogue.get(graph[source]["class_type"]) if source in graph else None
        if spec and 0 <= output < len(spec.outputs) and split_types(spec.outputs[output]) & kinds:
            sources.append(source)
    return sources


def _has_control(graph: Graph, catalogue: Catalogue) -> bool:
    specs = [catalogue.get(node["class_type"]) for node in graph.values()]
    return any(
        spec and (spec.class_type == CONTROL_NODE or "CONTROL_NET" in spec.outputs)
        for spec in specs
    )
