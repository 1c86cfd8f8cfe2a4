"""Random API graphs over the recorded node classes, and their UI form."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from manyshot.driver.workflow.catalogue import COMBO, Catalogue, InputSpec, NodeSpec, types_fit
from manyshot.driver.workflow.graph import Graph, Node, is_link
from manyshot.driver.workflow.widgets import list_slots, list_widgets

DATA = Path(__file__).parents[1] / "data"
WORKFLOWS = DATA / "workflows"
CATALOGUE = Catalogue.from_json(json.loads((DATA / "object_info.json").read_text()))

# Sources first, so that later nodes find something to link to.
CLASSES = (
    ("CheckpointLoaderSimple", "CLIPTextEncode", "EmptyLatentImage", "LoadImage", "LoraLoader")
    + ("KSampler", "KSamplerAdvanced", "VAEDecode", "VAEEncode", "ImageScaleBy", "ImageInvert")
    + ("ControlNetLoader", "ControlNetApplyAdvanced", "ConditioningAverage", "LatentBlend")
    + ("SaveImage", "PreviewImage", "LatentUpscale", "PrimitiveInt", "PrimitiveString")
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
PLAIN = TEXT.map(lambda text: "".join(c for c in text if c not in "{}|\\/"))


@st.composite
def graphs(draw: st.DrawFn, max_nodes: int = 12) -> Graph:
    """A graph in which every input is set: by a link where an earlier node offers the type."""
    count = draw(st.integers(1, max_nodes))
    ids = draw(st.lists(st.integers(1, 99), min_size=count, max_size=count, unique=True))
    graph: Graph = {}
    for node_id in map(str, ids):
        spec = CATALOGUE.nodes[draw(st.sampled_from(CLASSES))]
        inputs = {
            name: value
            for name, declared in spec.inputs.items()
            if (value := draw(_value(graph, declared))) is not None
        }
        title = draw(st.one_of(st.just(spec.title), PLAIN.filter(bool)))
        graph[node_id] = Node(class_type=spec.class_type, inputs=inputs, _meta={"title": title})
    return graph


def literals(spec: InputSpec) -> st.SearchStrategy[Any]:
    """Values that a widget of this kind may hold."""
    low, high = int(spec.minimum or 0), int(min(spec.maximum or 2**31, 2**53))
    return {
        "INT": st.integers(low, high),
        "FLOAT": st.floats(low, high),
        "BOOLEAN": st.booleans(),
        COMBO: st.sampled_from(spec.options or ("none",)),
    }.get(spec.type, PLAIN)


def _value(graph: Graph, spec: InputSpec) -> st.SearchStrategy[Any]:
    """A link to any output that fits, or a literal; None for a socket nothing fits."""
    offered = [
        [node_id, output]
        for node_id, node in graph.items()
        for output, kind in enumerate(CATALOGUE.nodes[node["class_type"]].outputs)
        if types_fit(kind, spec.type)
    ]
    links = st.sampled_from(offered) if offered else st.nothing()
    if spec.type in CATALOGUE.link_types:
        return st.one_of(links, st.none())
    return st.one_of(literals(spec), links)


def to_ui(graph: Graph, objects: bool = False) -> dict[str, Any]:
    """The UI form of a graph, written by the rules of the format and not by our reader's."""
    links: list[dict[str, Any]] = []
    nodes = [_ui_node(node_id, node, links) for node_id, node in graph.items()]
    arrays = [list(link.values()) for link in links]
    return {"version": 1 if objects else 0.4, "nodes": nodes, "links": links if objects else arrays}


def _ui_node(node_id: str, node: Node, links: list[dict[str, Any]]) -> dict[str, Any]:
    spec = CATALOGUE.nodes[node["class_type"]]
    inputs = []
    for index, slot in enumerate(list_slots(spec, ())):
        value = node["inputs"].get(slot.name)
        link_id = None
        if is_link(value):
            link_id = len(links) + 1
            links.append(_ui_link(link_id, value, node_id, index, slot.type))
        widget = {"widget": {"name": slot.name}} if slot.widget else {}
        inputs.append({"name": slot.name, "type": slot.type, "link": link_id, **widget})
    return {
        "id": int(node_id),
        "type": node["class_type"],
        "title": node.get("_meta", {})["title"],
        "mode": 0,
        "inputs": inputs,
        "outputs": [{"name": kind, "type": kind} for kind in spec.outputs],
        "widgets_values": _widget_values(spec, node["inputs"]),
    }


def _ui_link(link_id: int, value: list[Any], node_id: str, index: int, kind: str) -> dict[str, Any]:
    return {
        "id": link_id,
        "origin_id": int(value[0]),
        "origin_slot": value[1],
        "target_id": int(node_id),
        "target_slot": index,
        "type": kind,
    }


def _widget_values(spec: NodeSpec, inputs: Mapping[str, Any]) -> list[Any]:
    """One value a widget; control and upload widgets hold their default, a linked one too."""
    return [
        widget.default
        if is_link(inputs.get(widget.name))
        else inputs.get(widget.name, widget.default)
        for widget in list_widgets(spec)
        if widget.saved
    ]
