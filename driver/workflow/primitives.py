"""Primitive nodes of the canvas: one value for several widgets."""

import math
from typing import Any

from .canvas import Canvas, CanvasNode
from .catalogue import InputSpec
from .subgraphs import Scope
from .widgets import widget_type

PRIMITIVE = "PrimitiveNode"


def apply_primitives(scope: Scope) -> None:
    """Copy the value of every primitive node into the widgets it is linked to, here and below."""
    for node in scope.canvas.nodes.values():
        if node.type == PRIMITIVE and isinstance(node.values, list) and node.values:
            _apply(scope, node, node.values[0])
    for child in scope.children.values():
        apply_primitives(child)


def _apply(scope: Scope, primitive: CanvasNode, value: Any) -> None:
    fed = _links_from(scope.canvas, primitive.id)
    for node_id, slots in scope.slots.items():
        values = scope.values.get(node_id, {})
        spec = scope.specs.get(node_id)
        for slot in slots:
            if slot.link in fed and slot.name in values:
                values[slot.name] = _round_as_widget(
                    value, spec.inputs.get(slot.name) if spec else None
                )


def _links_from(canvas: Canvas, node_id: str) -> set[str]:
    return {link_id for link_id, link in canvas.links.items() if link.origin_id == node_id}


def _round_as_widget(value: Any, spec: InputSpec | None) -> Any:
    """`value` rounded as the widget does it when it is set: INT to its step, FLOAT to `round`."""
    if spec is None or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if widget_type(spec) == "INT":
        return _to_step(value, spec)
    return _round_float(value, spec) if widget_type(spec) == "FLOAT" else value


def _to_step(value: float, spec: InputSpec) -> float:
    step = spec.extra.get("step") or 1
    if not isinstance(step, int) or step <= 0 or not math.isfinite(value):
        return value
    offset = int(spec.minimum or 0) % step
    return (
        math.floor((value - offset) / step + 0.5) * step + offset if step > 1 else _nearest(value)
    )


def _nearest(value: float) -> int:
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _round_float(value: float, spec: InputSpec) -> float:
    """To a multiple of `round`, then to the digits that `step` shows, within the range."""
    step = spec.extra.get("step") or 0.5
    if not isinstance(step, int | float) or step <= 0 or not math.isfinite(value):
        return value
    digits = max(0, -math.floor(math.log10(step)))
    unit = spec.extra.get("round") or (10**-digits if digits else 0)
    if not isinstance(unit, int | float) or unit <= 0:
        return value
    low = spec.minimum if spec.minimum is not None else -math.inf
    high = spec.maximum if spec.maximum is not None else math.inf
    return min(max(round(math.floor(value / unit + 0.5) * unit, digits), low), high)
