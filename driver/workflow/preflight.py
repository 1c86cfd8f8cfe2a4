"""Everything the server would refuse, and what it would silently misread, found before queueing.

Follows validate_prompt of ComfyUI 0.3.75 (execution.py): unknown classes count anywhere, all else
only where an output node depends on it. Stricter where the server converts without a word (1.5 to
the integer 1, the text "false" to true) or fails only when the node runs.
"""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ...core.nearest import nearest
from .catalogue import COMBO, Catalogue, InputSpec, NodeSpec, types_fit
from .graph import Graph, Slot, describe, id_order, is_link, links, shorten, upstream
from .widgets import added_by_extensions

SHOWN_OPTIONS = 6


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
        parts = [self.where, self.node, f"input {self.input!r}" if self.input else None]
        return f"{', '.join(part for part in parts if part)}: {self.text}"


def check(
    graph: Graph, catalogue: Catalogue, where: str = "the workflow", bound: Collection[Slot] = ()
) -> list[Problem]:
    """All problems of `graph`, in the order of node ids; empty when the server would take it.

    Slots in `bound` get their value later: nothing is said about what they hold now.
    """
    checker = _Checker(graph, catalogue, where, frozenset(bound))
    unknown = [checker.unknown_class(i) for i in _ordered(graph) if not checker.spec(i)]
    outputs = [i for i in _ordered(graph) if (spec := checker.spec(i)) and spec.is_output]
    if not outputs and not unknown:
        text = "no node hands a result out. Add a Save Image node that gets the result."
        return [Problem(where, None, None, text)]
    used = upstream(graph, outputs)
    known = [i for i in _ordered(graph) if i in used and checker.spec(i)]
    found = [problem for node_id in known for problem in checker.node(node_id)]
    return unknown + found + list(checker.circles(used))


def check_value(spec: InputSpec, value: Any) -> str | None:
    """What is wrong with a literal for an input; None when it fits."""
    if isinstance(value, dict) and "__value__" in value:
        value = value["__value__"]
    if spec.type == COMBO:
        return _check_option(spec, value)
    kind = _KINDS.get(spec.type)
    if kind is None:
        return None
    noun, fits = kind
    if not fits(value):
        return f"{_show(value)} is not {noun}."
    return _check_range(spec, value) if spec.type in ("INT", "FLOAT") else None


class _Checker:
    """Looks at the nodes of one graph."""

    def __init__(
        self, graph: Graph, catalogue: Catalogue, where: str, bound: frozenset[Slot]
    ) -> None:
        self.graph = graph
        self.catalogue = catalogue
        self.where = where
        self.bound = bound

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
        spec = self.catalogue.nodes[self.graph[node_id]["class_type"]]
        inputs = self.graph[node_id]["inputs"]
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
            return f"{_show(value)} is neither a value nor a link [node, output]."
        if spec.type in self.catalogue.link_types:
            return f"{_show(value)} stands where a link to a node that makes {spec.type} belongs."
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
        made = f"output {output} of {describe(self.graph, source)}"
        return f"it takes {spec.type}, but {made} is {kind}."

    def unknown_inputs(self, node_id: str, spec: NodeSpec) -> Iterator[Problem]:
        """Inputs that the class does not have: the server passes over them without a word.

        Only those whose name is like that of an input left unset are told: files from elsewhere
        carry the remains of older versions of a node, which do no harm.
        """
        inputs = self.graph[node_id]["inputs"]
        known = {*spec.inputs, *(widget.name for widget in added_by_extensions(spec))}
        unset = [name for name in spec.inputs if name not in inputs]
        for name in inputs:
            near = nearest(name, unset) if name not in known else None
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
            yield self.problem(ring[0], None, f"links go round in a circle: {shown}.")


def _ordered(graph: Graph) -> list[str]:
    return sorted(graph, key=id_order)


def _missing(spec: InputSpec) -> str:
    """What a required input without a value needs."""
    if spec.options is not None and not spec.options:
        return "it is required and has no value, and the server has no file for it."
    return f"it is required and has no value; it takes {spec.type}."


def _is_int(value: Any) -> bool:
    """Whole numbers, also written as 8.0 or "8"; True is a switch and no number."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return re.fullmatch(r"\s*[+-]?\d{1,20}\s*", value) is not None
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _is_float(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return isinstance(value, int | float | str) and math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_switch(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))


_KINDS = {
    "INT": ("a whole number", _is_int),
    "FLOAT": ("a number", _is_float),
    "STRING": ("a text", _is_text),
    "BOOLEAN": ("true or false", _is_switch),
}


def _check_range(spec: InputSpec, value: Any) -> str | None:
    number = int(value) if spec.type == "INT" else float(value)
    if spec.minimum is not None and number < spec.minimum:
        return f"{_show(value)} is below the smallest value, {spec.minimum}."
    if spec.maximum is not None and number > spec.maximum:
        return f"{_show(value)} is above the largest value, {spec.maximum}."
    return None


def _check_option(spec: InputSpec, value: Any) -> str | None:
    """Remote lists and names of uploaded files in folders cannot be checked here."""
    if spec.remote or spec.options is None:
        return None
    if isinstance(value, list):
        wrong = next((item for item in value if item not in spec.options), None)
        return None if wrong is None else _not_an_option(spec, wrong)
    if value in spec.options or (spec.upload and _names_other_folder(value)):
        return None
    return _not_an_option(spec, value)


def _names_other_folder(value: Any) -> bool:
    """`folder/a.png`, or `a.png [output]`: the option list holds only the top input folder."""
    if not isinstance(value, str) or ".." in value.split("/"):
        return False
    return "/" in value or value.endswith("]")


def _not_an_option(spec: InputSpec, value: Any) -> str:
    options = [str(option) for option in spec.options or ()]
    if not options:
        return f"the server has no {_show(value)}; it has no file for this input at all."
    near = nearest(str(value), options)
    hint = f" The nearest is {shorten(near)!r}." if near else ""
    shown = ", ".join(shorten(option, 40) for option in options[:SHOWN_OPTIONS])
    more = f" and {len(options) - SHOWN_OPTIONS} more" if len(options) > SHOWN_OPTIONS else ""
    return f"the server has no {_show(value)}.{hint} It has {shown}{more}."


def _show(value: Any) -> str:
    return shorten(repr(value), 80)
