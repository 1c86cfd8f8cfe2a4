"""Where the value of an input comes from, through reroutes, bypassed nodes and subgraphs.

Follows ExecutableNodeDTO of ComfyUI_frontend 1.32.9, as one loop: a chain may be of any length.
"""

from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError
from .canvas import BYPASSED, SUBGRAPH_INPUT, CanvasInput, CanvasLink, CanvasNode
from .catalogue import MATCH_TYPE, Catalogue
from .graph import shorten
from .subgraphs import Scope

REROUTE = "Reroute"


@dataclass(frozen=True)
class Origin:
    """An output of a node that runs."""

    node_id: str
    output: int


@dataclass(frozen=True)
class PromotedValue:
    """The value of a widget of a subgraph node."""

    value: Any


@dataclass
class Tracer:
    """Follows links of one file; `where` stands in messages."""

    catalogue: Catalogue
    where: str

    def trace(self, scope: Scope, node: CanvasNode, slot: int) -> Origin | PromotedValue | None:
        """The origin of an input; None when nothing is linked or a bypass finds no fitting input.

        Raises InputError when the links form a circle.
        """
        expected: str | None = None
        fallback: PromotedValue | None = None
        visited: set[tuple[tuple[str, ...], str, int]] = set()
        while True:
            key = (scope.path, node.id, slot)
            if key in visited:
                raise InputError(f"{self.where}: links form a cycle at node {node.id}.")
            visited.add(key)
            slots = scope.slots[node.id]
            if not 0 <= slot < len(slots) or slots[slot].link is None:
                return fallback
            link = scope.canvas.links.get(slots[slot].link or "")
            if link is None:
                raise InputError(self._broken(scope, node, slots[slot].name))
            if scope.parent is not None and link.origin_id == SUBGRAPH_INPUT:
                scope, node, slot = self._out_of(scope, link.origin_slot)
                expected = None
                fallback = _promoted_value(scope, node, slot) or fallback
                continue
            step = self._output(
                scope, link.origin_id, link.origin_slot, expected or slots[slot].type
            )
            if not isinstance(step, tuple):
                return step or fallback
            scope, node, slot, expected = step

    def _broken(self, scope: Scope, node: CanvasNode, name: str) -> str:
        return (
            f"{self.where}, node {scope.full_id(node.id)} ({shorten(node.type)}), input "
            f"{name!r}: its link is not in the file. Open the workflow in ComfyUI, fix it "
            "and save it again."
        )

    def _out_of(self, scope: Scope, slot: int) -> tuple[Scope, CanvasNode, int]:
        """The subgraph node that holds `scope`, and its slot."""
        assert scope.parent is not None
        return scope.parent, scope.parent.canvas.nodes[scope.path[-1]], slot

    def _output(
        self, scope: Scope, node_id: str, slot: int, expected: str
    ) -> Origin | None | tuple[Scope, CanvasNode, int, str | None]:
        """The node that produces an output, or the next input to follow and the type it carries."""
        while True:
            node = scope.canvas.nodes.get(node_id)
            if node is None:
                raise InputError(
                    f"{self.where} has a link from node {scope.full_id(node_id)}, which does "
                    "not exist. Open the workflow in ComfyUI, fix it and save it again."
                )
            if node.mode == BYPASSED:
                through = self._bypass(scope, node, slot, expected)
                return None if through is None else (scope, node, through, None)
            child = scope.children.get(node.id)
            if child is None:
                if node.type == REROUTE:
                    return scope, node, slot, expected
                exists = self.catalogue.get(node.type) is not None
                return Origin(scope.full_id(node.id), slot) if exists else None
            link = _inner_link(child, slot)
            if link is None:
                return None
            if link.origin_id == SUBGRAPH_INPUT:
                return scope, node, link.origin_slot, expected
            scope, node_id, slot = child, link.origin_id, link.origin_slot

    def _bypass(self, scope: Scope, node: CanvasNode, slot: int, expected: str) -> int | None:
        """The input whose value a bypassed node hands to output `slot`: the one of the same index
        when types fit, else the first of exactly the wanted type, else the first that fits."""
        slots = scope.slots[node.id]
        if expected in ("*", ""):
            return slot if len(slots) > slot else 0
        output = self._output_type(scope, node, slot)
        if slot < len(slots) and _passes(slots[slot], output, expected):
            return slot
        exact = (index for index, candidate in enumerate(slots) if candidate.type == expected)
        fitting = (
            index for index, candidate in enumerate(slots) if _passes(candidate, output, expected)
        )
        return next(exact, next(fitting, None))

    def _output_type(self, scope: Scope, node: CanvasNode, slot: int) -> str:
        child = scope.children.get(node.id)
        spec = self.catalogue.get(node.type)
        if child is not None:
            types = tuple(output.type for output in child.canvas.outputs)
        else:
            types = spec.outputs if spec and MATCH_TYPE not in spec.outputs else node.output_types
        return types[slot] if 0 <= slot < len(types) else "*"


def _passes(slot: CanvasInput, output: str, expected: str) -> bool:
    return _connects(slot.type, output) and _connects(slot.type, expected)


def _connects(first: str, second: str) -> bool:
    """litegraph's isValidConnection: any type fits `*`; unions fit by a member; case is ignored."""
    if first in ("*", "") or second in ("*", ""):
        return True
    return bool(set(first.lower().split(",")) & set(second.lower().split(",")))


def _inner_link(child: Scope, slot: int) -> CanvasLink | None:
    """The link inside a subgraph that ends at its output `slot`."""
    outputs = child.canvas.outputs
    ids = outputs[slot].links if 0 <= slot < len(outputs) else ()
    return next((child.canvas.links[i] for i in ids if i in child.canvas.links), None)


def _promoted_value(scope: Scope, node: CanvasNode, slot: int) -> PromotedValue | None:
    """The promoted widget's value of a subgraph node's slot."""
    slots = scope.slots[node.id]
    name = slots[slot].name if 0 <= slot < len(slots) else ""
    values = scope.values.get(node.id, {})
    return PromotedValue(values[name]) if name in values else None
