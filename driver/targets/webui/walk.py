"""A bound graph read backwards: what its inputs take, and where a WebUI cannot follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, NoReturn

from ....core.errors import InputError
from ...workflow.graph import Graph, Slot, is_link, links, upstream
from ...workflow.graph import describe as describe_node

PRIMITIVES = ("PrimitiveInt", "PrimitiveFloat", "PrimitiveString", "PrimitiveStringMultiline")
INSTEAD = {
    "ManyshotVaryMask": "The driver can do this itself: set 'pairs.vary' in the recipe, and "
    "bind $image, $mask and $control to Load Image nodes.",
    "ManyshotMaskToControl": "The driver can draw it: bind a Load Image to $control.",
    "ManyshotMaskOf": "The driver draws the mask of all objects: bind a Load Image (as Mask) to "
    "$mask.",
}
"""What does the same for a WebUI."""


class Output(NamedTuple):
    """One output of one node."""

    node_id: str
    number: int


@dataclass(frozen=True)
class Walk:
    """`fields` and `addresses` say which slots take a job field, or the value or picture of an
    address of the recipe; `where` is the workflow."""

    graph: Graph
    fields: Mapping[Slot, str]
    addresses: Mapping[Slot, str]
    where: str

    def check_no_circle(self, node_id: str) -> None:
        """Raises InputError when something upstream of a node depends on itself."""
        needed = upstream(self.graph, [node_id])
        sources = {node: {source for _, source, _ in links(self.graph[node])} for node in needed}
        try:
            TopologicalSorter(sources).prepare()
        except CycleError as error:
            self.stop(error.args[1][0], "is linked to itself, directly or through other nodes.")

    def kind(self, node_id: str) -> str:
        return self.graph[node_id]["class_type"]

    def source(self, node_id: str, name: str) -> Output:
        """What an input is linked to. Raises InputError where it is not."""
        value = self.graph[node_id]["inputs"].get(name)
        if not is_link(value) or value[0] not in self.graph:
            raise InputError(f"{self.where}: {name!r} of {self.describe(node_id)} is not linked.")
        return Output(*value)

    def value(self, node_id: str, name: str, key: str) -> Any:
        """A literal, `$field`, or `@address`; None for an input that is left out.

        Raises InputError for what another node computes; `key` would say it instead.
        """
        reference = self.reference(Slot(node_id, name))
        if reference:
            return reference
        value = self.graph[node_id]["inputs"].get(name)
        if not is_link(value):
            return value
        if value[0] not in self.graph or self.kind(value[0]) not in PRIMITIVES:
            self.refuse(value[0], f"computes {name!r} of {self.describe(node_id)}", key)
        return self.value(value[0], "value", key)

    def reference(self, slot: Slot) -> str:
        """`$field` or `@address` where the slot takes such, else nothing."""
        if slot in self.fields:
            return f"${self.fields[slot]}"
        return f"@{self.addresses[slot]}" if slot in self.addresses else ""

    def picture(self, node_id: str, key: str) -> str:
        """The picture of a node that loads one. Raises InputError where a WebUI lacks it."""
        if self.kind(node_id) not in ("LoadImage", "LoadImageMask"):
            self.refuse(node_id, "makes a picture", key)
        reference = self.reference(Slot(node_id, "image"))
        if not reference:
            bind = (
                "Bind one that every server can have: $image, $mask, $control, {file: "
                "…}, {folder: …}."
            )
            self.stop(node_id, "loads a picture from its own server.", key, bind)
        return reference

    def describe(self, node_id: str) -> str:
        return describe_node(self.graph, node_id) if node_id in self.graph else f"node {node_id}"

    def refuse(self, node_id: str, does: str, key: str = "") -> NoReturn:
        """Raises InputError: a WebUI does not do what a node does; `key` could say it instead."""
        instead = INSTEAD.get(self.kind(node_id), "") if node_id in self.graph else ""
        sentence = f"{does}, which has no counterpart in a WebUI."
        self.stop(node_id, sentence, "" if instead else key, instead)

    def stop(self, node_id: str, sentence: str, key: str = "", instead: str = "") -> NoReturn:
        """Raises InputError: the node, what is wrong with it, and what to do."""
        ways = [
            *([instead] if instead else []),
            *([f"Write 'webui.{key}' in the recipe."] if key else []),
            "Remove the WebUI from the recipe's servers.",
        ]
        first, *alternatives = ways
        advice = " ".join([first, *(f"Or {way[0].lower()}{way[1:]}" for way in alternatives)])
        raise InputError(f"{self.where}: {self.describe(node_id)} {sentence} {advice}")
