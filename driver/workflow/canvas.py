"""The UI format of a workflow file, read into values: nodes, links and subgraph definitions.

Both serialisations are read: links as arrays (version 0.4) and as objects (version 1, subgraphs).
Reroute points on a link (the newer kind) need nothing: their links still name both ends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InputError
from .graph import shorten

MUTED, BYPASSED = 2, 4
SUBGRAPH_INPUT = "-10"  # the id that links inside a subgraph use for the subgraph's own inputs

# Classes that the front end itself renames when it opens an old file.
RENAMED = {
    "T2IAdapterLoader": "ControlNetLoader",
    "ConditioningAverage ": "ConditioningAverage",
    "SDV_img2vid_Conditioning": "SVD_img2vid_Conditioning",
    "Load3DAnimation": "Load3D",
    "Preview3DAnimation": "Preview3D",
}


@dataclass(frozen=True)
class CanvasLink:
    origin_id: str
    origin_slot: int
    target_id: str
    target_slot: int


@dataclass(frozen=True)
class CanvasInput:
    """An input slot; `link` is the id of the link that ends here."""

    name: str
    type: str
    link: str | None = None
    widget: str | None = None


@dataclass(frozen=True)
class CanvasNode:
    id: str
    type: str
    title: str
    mode: int
    inputs: tuple[CanvasInput, ...]
    output_types: tuple[str, ...]
    values: list[Any] | dict[str, Any]
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class SubgraphSlot:
    name: str
    type: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class Canvas:
    """A workflow, or the definition of a subgraph (then with its own inputs and outputs)."""

    name: str
    nodes: Mapping[str, CanvasNode]
    links: Mapping[str, CanvasLink]
    inputs: tuple[SubgraphSlot, ...] = ()
    outputs: tuple[SubgraphSlot, ...] = ()


def is_ui(data: Any) -> bool:
    """Whether a JSON value looks like a workflow in UI format."""
    return isinstance(data, dict) and isinstance(data.get("nodes"), list)


def read_canvas(data: Mapping[str, Any], where: str) -> Canvas:
    """A workflow or a subgraph definition. Raises InputError with `where` for a malformed part."""
    nodes = [_node(item, where) for item in _objects(data, "nodes", where)]
    return Canvas(
        name=str(data.get("name") or ""),
        nodes={node.id: node for node in nodes},
        links=dict(_links(data, where)),
        inputs=tuple(_subgraph_slot(item, where) for item in _objects(data, "inputs", where)),
        outputs=tuple(_subgraph_slot(item, where) for item in _objects(data, "outputs", where)),
    )


def read_definitions(data: Mapping[str, Any], where: str) -> dict[str, Canvas]:
    """Subgraph definitions by id (the type of the nodes that stand for them)."""
    definitions = data.get("definitions") or {}
    if not isinstance(definitions, dict):
        raise InputError(f"{where}: definitions is not an object.")
    return {
        _identifier(item.get("id"), where): read_canvas(item, f"{where}, subgraph {_name(item)}")
        for item in _objects(definitions, "subgraphs", where)
    }


def _node(item: dict[str, Any], where: str) -> CanvasNode:
    node_id = _identifier(item.get("id"), where)
    at = f"{where}, node {node_id}"
    kind = item.get("type")
    if not isinstance(kind, str) or not kind:
        raise InputError(f"{at} has no type.")
    values, properties = item.get("widgets_values"), item.get("properties")
    return CanvasNode(
        id=node_id,
        type=RENAMED.get(kind, kind),
        title=_text(item.get("title")),
        mode=item["mode"] if isinstance(item.get("mode"), int) else 0,
        inputs=tuple(_input(slot, at) for slot in _objects(item, "inputs", at)),
        output_types=tuple(_type(slot.get("type")) for slot in _objects(item, "outputs", at)),
        values=values if isinstance(values, list | dict) else [],
        properties=properties if isinstance(properties, dict) else {},
    )


def _input(slot: dict[str, Any], where: str) -> CanvasInput:
    widget, link = slot.get("widget"), slot.get("link")
    return CanvasInput(
        name=_text(slot.get("name")),
        type=_type(slot.get("type")),
        link=None if link is None else _identifier(link, where),
        widget=_text(widget.get("name")) if isinstance(widget, dict) else None,
    )


def _subgraph_slot(slot: dict[str, Any], where: str) -> SubgraphSlot:
    links = slot.get("linkIds")
    link_ids = tuple(_identifier(link, where) for link in links) if isinstance(links, list) else ()
    return SubgraphSlot(_text(slot.get("name")), _type(slot.get("type")), link_ids)


def _links(data: Mapping[str, Any], where: str) -> Iterator[tuple[str, CanvasLink]]:
    links = data.get("links") or []
    if not isinstance(links, list):
        raise InputError(f"{where}: links is not a list.")
    for item in links:
        if item is None:
            continue
        try:
            yield _link(item, f"{where}, a link")
        except (KeyError, TypeError, ValueError, OverflowError):
            raise InputError(f"{where} has a malformed link: {shorten(repr(item))}.") from None


def _link(item: Any, where: str) -> tuple[str, CanvasLink]:
    """(id, link) from `[id, origin, slot, target, slot, type]` or from an object."""
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    parts = [item[name] for name in names] if isinstance(item, dict) else list(item[:5])
    link_id, origin, origin_slot, target, target_slot = parts
    link = CanvasLink(
        _identifier(origin, where),
        _index(origin_slot),
        _identifier(target, where),
        _index(target_slot),
    )
    return _identifier(link_id, where), link


def _index(value: Any) -> int:
    """A slot's index; some old files write it as text. Raises ValueError below 0."""
    index = int(value)
    if index < 0:
        raise ValueError(index)
    return index


def _objects(data: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """The list of objects under `key`; missing or null is empty."""
    items = data.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InputError(f"{where}: {key} is not a list of objects.")
    return items


def _identifier(value: Any, where: str) -> str:
    if not isinstance(value, int | str) or isinstance(value, bool) or len(str(value)) > 100:
        raise InputError(f"{where} has an id that is not a number or a name.")
    return str(value)


def _type(value: Any) -> str:
    """A slot's type; older files hold a list of options, or a number, for what is a combo."""
    if isinstance(value, list):
        return "COMBO"
    return value if isinstance(value, str) else "*"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name(item: Mapping[str, Any]) -> str:
    return repr(shorten(_text(item.get("name")) or str(item.get("id"))))
