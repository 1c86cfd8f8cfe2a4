"""Everything the server would refuse, and what it would silently misread, found before queueing.

Follows validate_prompt of ComfyUI 0.3.75 (execution.py): unknown classes count anywhere, all else
only where an output node depends on it. Stricter where the server converts without a word (1.5 to
the integer 1, the text "false" to true) or fails only when the node runs.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import Any

from ...core.counted import closest_match
from .catalogue import Catalogue, InputSpec, NodeSpec, types_fit
from .dynamic_inputs import expand
from .graph import Graph, Slot, describe, id_order, is_link, links, shorten, upstream
from .input_values import check_value, show
from .widgets import is_widget, list_extension_widgets

MAX_PROBLEMS = 100  # each costs a search for the nearest right answer


@dataclass(frozen=True)
class Problem:
    """One fault of a graph; `node_id` is None when the graph as a whole is meant."""

    where: str
    node: str | None
    input: str | None
    text: str
    node_id: str | None = None

    def sentence(self) -> str:
        """File, node, input, what is wrong and the nearest right answer."""
        parts = [self.where, self.node, f"input {shorten(self.input)!r}" if self.input else None]
        return f"{', '.join(text for text in parts if text)}: {self.text}"


def check(
    graph: Graph, catalogue: Catalogue, where: str = "the workflow", bound: Collection[Slot] = ()
) -> list[Problem]:
    """The problems of `graph`, unknown classes first, at most MAX_PROBLEMS; empty when the server
    would take it.

    Slots in `bound` get their value later: nothing is said about what they hold now.
    """
    checker = _Checker(graph, catalogue, where, frozenset(bound))
    return list(islice(checker.problems(), MAX_PROBLEMS))


class _Checker:
    """Looks at the nodes of one graph."""

    def __init__(
        self, graph: Graph, catalogue: Catalogue, where: str, bound: frozenset[Slot]
    ) -> None:
        self.graph = graph
        self.catalogue = catalogue
        self.where = where
        self.bound = bound

    def problems(self) -> Iterator[Problem]:
        ordered = sorted(self.graph, key=id_order)
        recognised = [i for i in ordered if self.spec(i)]
        yield from (self.unknown_class(i) for i in ordered if not self.spec(i))
        outputs = [
            i for i in recognised if self.catalogue.nodes[self.graph[i]["class_type"]].is_output
        ]
        if not outputs and len(recognised) == len(ordered):
            text = "no node outputs a result. Add a Save Image node for it."
            yield Problem(self.where, None, None, text)
        used = upstream(self.graph, outputs)
        for node_id in recognised:
            if node_id in used:
                yield from self.node(node_id)
        yield from self.circles(used)

    def spec(self, node_id: str) -> NodeSpec | None:
        return self.catalogue.get(self.graph[node_id]["class_type"])

    def problem(self, node_id: str, name: str | None, text: str) -> Problem:
        return Problem(self.where, describe(self.graph, node_id), name, text, node_id)

    def unknown_class(self, node_id: str) -> Problem:
        class_type = self.graph[node_id]["class_type"]
        near = self.catalogue.nearest(class_type)
        hint = f" The nearest it has is {near}." if near else ""
        return self.problem(
            node_id, None, f"the server has no node class {shorten(class_type)!r}.{hint}"
        )

    def node(self, node_id: str) -> Iterator[Problem]:
        inputs = self.graph[node_id]["inputs"]
        spec = expand(self.catalogue.nodes[self.graph[node_id]["class_type"]], inputs)
        for name, declared in spec.inputs.items():
            slot = Slot(node_id, name)
            if slot in self.bound:
                continue
            if name not in inputs:
                if declared.required:
                    yield self.problem(node_id, name, _missing(declared))
                continue
            text = self.input(node_id, declared, inputs[name])
            if text:
                yield self.problem(node_id, name, text)
        yield from self.unknown_inputs(node_id, spec)

    def input(self, node_id: str, spec: InputSpec, value: Any) -> str | None:
        if is_link(value):
            return self.link(spec, value[0], value[1])
        if isinstance(value, list):
            return f"{show(value)} is neither a value nor a link [node, output]."
        if spec.type in self.catalogue.link_types and not is_widget(spec):
            return (
                f"{show(value)} is given where a link to a node that makes {spec.type} is expected."
            )
        return check_value(spec, value)

    def link(self, spec: InputSpec, source: str, output: int) -> str | None:
        if source not in self.graph:
            return f"it is linked to node {shorten(source)}, which is not in the workflow."
        made_by = self.spec(source)
        if made_by is None:
            return None
        if not 0 <= output < len(made_by.outputs):
            count = len(made_by.outputs)
            has = f"which has {count}" if count else "which has none"
            return f"it is linked to output {output} of {describe(self.graph, source)}, {has}."
        kind = made_by.outputs[output]
        if types_fit(kind, spec.type):
            return None
        source_output = f"output {output} of {describe(self.graph, source)}"
        return f"it takes {spec.type}, but {source_output} is {kind}."

    def unknown_inputs(self, node_id: str, spec: NodeSpec) -> Iterator[Problem]:
        """Inputs that the class does not have: the server passes over them without a word.

        Only those whose name is like that of an input left unset are told: files from elsewhere
        carry the remains of older versions of a node, which do no harm.
        """
        inputs = self.graph[node_id]["inputs"]
        names = {*spec.inputs, *(widget.name for widget in list_extension_widgets(spec))}
        unset = [name for name in spec.inputs if name not in inputs]
        for name in inputs:
            near = closest_match(name, unset) if name not in names else None
            if near:
                yield self.problem(
                    node_id, name, f"{spec.class_type} has no such input. Did you mean {near!r}?"
                )

    def circles(self, used: set[str]) -> Iterator[Problem]:
        """One problem when links go round."""
        sources = {i: {s for _, s, _ in links(self.graph[i]) if s in used} for i in used}
        try:
            TopologicalSorter(sources).prepare()
        except CycleError as error:
            ring = error.args[1]
            shown = " -> ".join(describe(self.graph, i) for i in ring[:6])
            yield self.problem(ring[0], None, f"links form a cycle: {shown}.")


def _missing(spec: InputSpec) -> str:
    """What a required input without a value needs."""
    if spec.options is not None and not spec.options:
        return "it is required and has no value, and the server has no file for it."
    return f"it is required and has no value; it takes {spec.type}."
