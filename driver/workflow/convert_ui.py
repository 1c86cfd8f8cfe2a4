"""UI format -> API graph, as the front end's own export does it."""

from collections.abc import Collection, Mapping
from typing import Any

from ...core.errors import InputError
from .canvas import BYPASSED, MUTED, CanvasNode, read_canvas, read_definitions
from .catalogue import Catalogue
from .graph import Graph, Node, is_link, shorten
from .primitives import PRIMITIVE, apply_primitives
from .subgraphs import Expander, Scope
from .trace import REROUTE, Origin, PromotedValue, Tracer
from .widgets import select_sent, wrap_list

# Nodes of the canvas alone; nothing of them reaches the server.
VIRTUAL = (REROUTE, PRIMITIVE, "Note", "MarkdownNote")


def convert_ui(ui: Mapping[str, Any], catalogue: Catalogue, where: str = "the workflow") -> Graph:
    """The API graph of a workflow in UI format.

    Muted and bypassed nodes, reroutes, primitives, notes and subgraphs are resolved. Raises
    InputError for a malformed file, a node class that the catalogue lacks, or group nodes.
    """
    definitions = read_definitions(ui, where)
    root = Expander(definitions, catalogue, where).scope(read_canvas(ui, where))
    running = {
        scope.full_id(node.id): (scope, node)
        for scope, node in root.walk()
        if not (catalogue.recent and _muted_above(root, scope))
        and _runs(scope, node, catalogue, where)
    }
    apply_primitives(root)
    tracer = Tracer(catalogue, where)
    linkable = running if catalogue.recent else None
    graph = {
        full_id: _api_node(scope, node, tracer, linkable)
        for full_id, (scope, node) in running.items()
    }
    return _without_links_to_missing(graph)


def _muted_above(root: Scope, scope: Scope) -> bool:
    """Whether a scope lies in a subgraph that is muted or bypassed at the top of the workflow.

    Front ends since 2026 run nothing of it; within a subgraph they overlook the mode.
    """
    return bool(scope.path) and root.canvas.nodes[scope.path[0]].mode in (MUTED, BYPASSED)


def _runs(scope: Scope, node: CanvasNode, catalogue: Catalogue, where: str) -> bool:
    """Whether a node is sent to the server. Raises InputError when it would be and is unknown."""
    if node.type in VIRTUAL or node.mode in (MUTED, BYPASSED):
        return False
    if catalogue.get(node.type) is None:
        raise InputError(_unknown(scope, node, catalogue, where))
    return True


def _api_node(
    scope: Scope, node: CanvasNode, tracer: Tracer, linkable: Collection[str] | None
) -> Node:
    """A node with its inputs; where a link leads out of `linkable`, its widget keeps its value."""
    spec = scope.specs[node.id]
    inputs = select_sent(scope.values[node.id], spec)
    for index, slot in enumerate(scope.slots[node.id]):
        origin = tracer.trace(scope, node, index)
        if isinstance(origin, Origin):
            if linkable is None or origin.node_id in linkable:
                inputs[slot.name] = [origin.node_id, origin.output]
        elif isinstance(origin, PromotedValue):
            inputs[slot.name] = wrap_list(origin.value)
    return Node(class_type=node.type, inputs=inputs, _meta={"title": node.title or spec.title})


def _without_links_to_missing(graph: Graph) -> Graph:
    """A link to a muted node is dropped, and with it the input."""
    for node in graph.values():
        node["inputs"] = {
            name: value
            for name, value in node["inputs"].items()
            if not (is_link(value) and value[0] not in graph)
        }
    return graph


def _unknown(scope: Scope, node: CanvasNode, catalogue: Catalogue, where: str) -> str:
    shown = f' "{shorten(node.title)}"' if node.title else ""
    at = f"{where}, node {scope.full_id(node.id)}{shown}"
    if node.type.startswith(("workflow/", "workflow>")):
        return (
            f"{at} is a group node ({shorten(node.type)}), which is not supported. Open the "
            "workflow in ComfyUI, convert it to a subgraph (right click), and save again."
        )
    near = catalogue.nearest(node.type)
    hint = f" The nearest it has is {near}." if near else ""
    return (
        f"{at}: the server has no node class {shorten(node.type)!r}.{hint} "
        "Install the node pack it comes from, or mute the node."
    )
