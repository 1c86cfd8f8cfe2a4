"""Subgraphs as scopes: each instance of a definition is a canvas, its ids joined by colons."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError
from .canvas import Canvas, CanvasInput, CanvasNode
from .catalogue import Catalogue, NodeSpec
from .graph import shorten
from .widgets import list_slots, read_node

MAX_NODES = 100_000  # a file of nested subgraphs can stand for any number
MAX_DEPTH = 50


@dataclass
class Scope:
    """One canvas as it is run: the workflow, or one instance of a subgraph within `parent`."""

    canvas: Canvas
    path: tuple[str, ...] = ()
    parent: "Scope | None" = None
    slots: dict[str, tuple[CanvasInput, ...]] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Widget values of each node; of a subgraph node those of its promoted widgets."""
    specs: dict[str, NodeSpec] = field(default_factory=dict)
    """The class of each node, with the inputs that its values give it."""
    children: "dict[str, Scope]" = field(default_factory=dict)

    def full_id(self, node_id: str) -> str:
        return ":".join((*self.path, node_id))

    def walk(self) -> "Iterator[tuple[Scope, CanvasNode]]":
        """Every node of this scope and of those below."""
        for node in self.canvas.nodes.values():
            if node.id in self.children:
                yield from self.children[node.id].walk()
            else:
                yield self, node


class Expander:
    """Builds the scopes of one file; counts nodes, so that a small file cannot fill the memory."""

    def __init__(self, definitions: Mapping[str, Canvas], catalogue: Catalogue, where: str) -> None:
        self.definitions = definitions
        self.catalogue = catalogue
        self.where = where
        self.count = 0

    def scope(
        self, canvas: Canvas, path: tuple[str, ...] = (), parent: Scope | None = None
    ) -> Scope:
        self.count += len(canvas.nodes)
        if self.count > MAX_NODES:
            raise InputError(
                f"{self.where} has more than {MAX_NODES} nodes with subgraphs expanded."
            )
        if len(path) > MAX_DEPTH:
            raise InputError(
                f"{self.where}: the subgraph {shorten(canvas.name)!r} contains itself, or "
                f"subgraphs are nested more than {MAX_DEPTH} deep."
            )
        scope = Scope(canvas, path, parent)
        for node in canvas.nodes.values():
            self._add(scope, node)
        return scope

    def _add(self, scope: Scope, node: CanvasNode) -> None:
        definition = self.definitions.get(node.type)
        spec = self.catalogue.get(node.type)
        if definition is not None:
            child = self.scope(definition, (*scope.path, node.id), scope)
            scope.children[node.id] = child
            scope.slots[node.id] = _subgraph_slots(node, definition)
            if self.catalogue.recent:
                _set_inner_values(node, child)
            scope.values[node.id] = _read_promoted(node, child)
        elif spec is not None:
            expanded, scope.values[node.id] = read_node(node, spec, self.catalogue.recent)
            scope.specs[node.id] = expanded
            scope.slots[node.id] = list_slots(expanded, node.inputs)
        else:
            scope.slots[node.id] = node.inputs


def _subgraph_slots(node: CanvasNode, definition: Canvas) -> tuple[CanvasInput, ...]:
    """The slots of a subgraph node follow its definition; links are found by name."""
    links = {slot.name: slot.link for slot in node.inputs}
    return tuple(CanvasInput(s.name, s.type, links.get(s.name)) for s in definition.inputs)


def _read_promoted(node: CanvasNode, child: Scope) -> dict[str, Any]:
    """Widgets that a subgraph's inputs show on its node, with the values saved on the node.

    Values lie in `widgets_values` in the order of `proxyWidgets` (where `-1` marks a widget of an
    input; the others belong to inner nodes and are saved there), or else in the order of inputs.
    """
    values = {
        slot.name: inner[1]
        for slot in child.canvas.inputs
        if (inner := _inner_widget(child, slot.links)) is not None
    }
    if isinstance(node.values, dict):
        return values | {name: node.values[name] for name in values if name in node.values}
    values |= dict(zip(values, node.values, strict=False))
    for (owner, name), value in zip(_proxies(node), node.values, strict=False):
        if owner == "-1" and name in values and value is not None:
            values[name] = value
    return values


def _set_inner_values(node: CanvasNode, child: Scope) -> None:
    """Widgets of inner nodes have the values that this instance saved for them (since 2026)."""
    saved = node.values if isinstance(node.values, list) else []
    for (owner, name), value in zip(_proxies(node), saved, strict=False):
        if value is not None and name in child.values.get(owner, {}):
            child.values[owner][name] = value


def _inner_widget(child: Scope, links: tuple[str, ...]) -> tuple[str, Any] | None:
    """(name, value) of the first inner widget that a subgraph's input leads to."""
    for link_id in links:
        link = child.canvas.links.get(link_id)
        slots = child.slots.get(link.target_id, ()) if link else ()
        if link is None or not 0 <= link.target_slot < len(slots):
            continue
        name = next((s.name for s in slots if s.link == link_id), slots[link.target_slot].name)
        values = child.values.get(link.target_id, {})
        if name in values:
            return name, values[name]
    return None


def _proxies(node: CanvasNode) -> list[tuple[str, str]]:
    listed = node.properties.get("proxyWidgets")
    pairs = listed if isinstance(listed, list) else []
    return [
        (str(pair[0]), str(pair[1])) if isinstance(pair, list) and len(pair) == 2 else ("", "")
        for pair in pairs
    ]
