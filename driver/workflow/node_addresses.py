"""Addresses of node inputs, and values put there.

    Positive prompt.text     by title (a title wins over a class of the same name)
    KSampler.seed            by class
    KSampler#2.seed          the second node of that title or class, in the order of node ids
    @12.seed, @57:8.seed     by node id; inside a subgraph the ids are joined by colons

The last dot parts node and input; a title may contain dots, and so may an input's name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ...core.counted import closest_match
from ...core.errors import InputError
from .catalogue import Catalogue
from .dynamic_inputs import expand_class
from .graph import Graph, Slot, describe, id_order, is_link, shorten, title


def resolve(graph: Graph, address: str, catalogue: Catalogue | None = None) -> Slot:
    """The one slot that `address` names; with a catalogue also optional inputs not set so far.

    Raises InputError: no such node or input (with the nearest), or several (with ways to tell
    them apart).
    """
    for node_part, name in _splits(address):
        nodes = find_nodes(graph, node_part)
        having = [node_id for node_id in nodes if name in _inputs(graph, node_id, catalogue)]
        if len(having) == 1:
            return Slot(having[0], name)
        if having:
            raise InputError(_ambiguous(graph, address, node_part, having, name))
    raise InputError(_unknown(graph, address, catalogue))


def resolve_node(graph: Graph, address: str) -> str:
    """The one node id that an address without an input names. Raises InputError as `resolve`."""
    nodes = find_nodes(graph, address)
    if len(nodes) == 1:
        return nodes[0]
    if nodes:
        raise InputError(_ambiguous(graph, address, address, nodes, None))
    raise InputError(f"The workflow has no node {shorten(address)!r}.{_near_node(graph, address)}")


def find_nodes(graph: Graph, node_part: str) -> list[str]:
    """Ids of the nodes that the left part of an address names, in the order of node ids."""
    if node_part.startswith("@") and node_part[1:] in graph:
        return [node_part[1:]]
    named = _find_by_name(graph, node_part)
    name, mark, number = node_part.rpartition("#")
    if named or not mark or not number.isdecimal() or len(number) > 6:
        return named
    position = int(number) - 1
    return _find_by_name(graph, name)[position : position + 1] if position >= 0 else []


def bind(graph: Graph, values: Mapping[Slot, Any]) -> Graph:
    """A graph with `values` in their slots; `graph` stays as it is, untouched nodes are shared."""
    bound = dict(graph)
    for (node_id, name), value in values.items():
        node = bound[node_id]
        if node is graph[node_id]:
            node = bound[node_id] = {**node, "inputs": dict(node["inputs"])}
        node["inputs"][name] = value
    return bound


def _find_by_name(graph: Graph, name: str) -> list[str]:
    """By title, else by class. A title that is the node's own class is the canvas's default and
    tells nothing: `KSampler` means every KSampler, however the others are titled."""
    classed = [node_id for node_id, node in graph.items() if node["class_type"] == name]
    titled = [i for i, node in graph.items() if title(node) == name != node["class_type"]]
    return sorted(titled or classed, key=id_order)


def _splits(address: str) -> Iterator[tuple[str, str]]:
    """(node part, input) for every dot, the last one first."""
    at = address.rfind(".")
    while at > 0:
        yield address[:at], address[at + 1 :]
        at = address.rfind(".", 0, at)


def _inputs(graph: Graph, node_id: str, catalogue: Catalogue | None) -> list[str]:
    node = graph[node_id]
    spec = expand_class(catalogue, node)
    return [*node["inputs"], *(spec.inputs if spec else ())]


def _ambiguous(
    graph: Graph, address: str, node_part: str, nodes: list[str], name: str | None
) -> str:
    """Names the nodes that match, what each holds, and an address for each."""
    dotted = f".{name}" if name else ""
    choices = "; ".join(
        f"@{node_id}{dotted} is {describe(graph, node_id)}{_holding(graph, node_id, name)}"
        for node_id in nodes[:6]
    )
    more = f"; and {len(nodes) - 6} more" if len(nodes) > 6 else ""
    second = f"{shorten(node_part)}#2{dotted}"
    return (
        f"{shorten(address)!r} fits {len(nodes)} nodes: {choices}{more}. "
        f"Write one of these addresses, {second!r} for the second, or give the nodes titles."
    )


def _holding(graph: Graph, node_id: str, name: str | None) -> str:
    value = graph[node_id]["inputs"].get(name) if name else None
    if value is None or is_link(value):
        return ""
    return f" holding {shorten(str(value), 30)!r}"


def _unknown(graph: Graph, address: str, catalogue: Catalogue | None) -> str:
    node_part, dot, name = address.rpartition(".")
    if not dot or not node_part or not name:
        return (
            f"{shorten(address)!r} is not an address. Write a node's title or class, a dot and "
            "an input, such as 'KSampler.seed'."
        )
    nodes = find_nodes(graph, node_part)
    if not nodes:
        return (
            f"{shorten(address)!r}: the workflow has no node {shorten(node_part)!r}."
            f"{_near_node(graph, node_part)}"
        )
    inputs = list(dict.fromkeys(_inputs(graph, nodes[0], catalogue)))
    near = closest_match(name, inputs)
    hint = f" Did you mean {near!r}?" if near else ""
    return (
        f"{shorten(address)!r}: {describe(graph, nodes[0])} has no input {shorten(name)!r}.{hint} "
        f"It has {', '.join(inputs) or 'none'}."
    )


def _near_node(graph: Graph, node_part: str) -> str:
    """What the graph has instead of the node that an address names."""
    if node_part.startswith("@"):
        ids = [f"@{node_id}" for node_id in sorted(graph, key=id_order)]
        more = f" and {len(ids) - 12} more" if len(ids) > 12 else ""
        return f" It has {', '.join(ids[:12])}{more}."
    count = len(_find_by_name(graph, node_part.rpartition("#")[0]))
    if count:
        return f" It has {count} of that name; the first is #1."
    names = {title(node): None for node in graph.values()}
    names |= {node["class_type"]: None for node in graph.values()}
    near = closest_match(node_part.split("#")[0], names)
    if near:
        return f" Did you mean {shorten(near)!r}?"
    shown = ", ".join(shorten(name) for name in list(names)[:12])
    return f" It has {shown}."
