"""Inputs that a node has only under the values it is given: of a dynamic combo, of an autogrow.

As the server expands them before it validates (get_finalized_class_inputs of ComfyUI 0.33): the
chosen option of the combo `format` brings inputs named `format.codec`, and the autogrow input
`images` has slots named `images.image0`. Both may lie within options of further combos.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from .catalogue import COMBO, Catalogue, Growth, InputSpec, NodeSpec
from .graph import Node


def expand(node: NodeSpec, values: Mapping[str, Any]) -> NodeSpec:
    """The node class with the inputs that it has under `values`, in the order of the canvas.

    A dynamic combo becomes a plain one, followed by the inputs of the option in `values`; of an
    autogrow input stay the slots that are needed or named in `values`.
    """
    if all(spec.choices is None and spec.growth is None for spec in node.inputs.values()):
        return node
    leaves = (leaf for spec in node.inputs.values() for leaf in _expand_input(spec, values))
    return replace(node, inputs=MappingProxyType({leaf.name: leaf for leaf in leaves}))


def expand_class(catalogue: Catalogue | None, node: Node) -> NodeSpec | None:
    """The class of a node of a graph with the inputs that it has there; None for an unknown one."""
    spec = catalogue.get(node["class_type"]) if catalogue else None
    return expand(spec, node["inputs"]) if spec else None


def _expand_input(spec: InputSpec, values: Mapping[str, Any]) -> Iterator[InputSpec]:
    if spec.growth is not None:
        yield from _slots(spec.name, spec.growth, values)
    elif spec.choices is not None:
        yield replace(spec, type=COMBO, choices=None)
        chosen = values.get(spec.name)
        for child in spec.choices.get(chosen, ()) if isinstance(chosen, str) else ():
            yield from _expand_input(replace(child, name=f"{spec.name}.{child.name}"), values)
    else:
        yield spec


def _slots(name: str, growth: Growth, values: Mapping[str, Any]) -> Iterator[InputSpec]:
    for index, slot in enumerate(growth.names):
        full_name = f"{name}.{slot}"
        needed = growth.slot.required and index < growth.minimum
        if needed or full_name in values:
            yield replace(growth.slot, name=full_name, required=needed)
