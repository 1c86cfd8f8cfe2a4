"""UI format -> API graph: against recordings of the real front end 1.32.9, and as a property."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.driver.workflow.catalogue import Catalogue
from manyshot.driver.workflow.convert_ui import convert_ui
from manyshot.driver.workflow.dynamic_prompts import first_choice
from manyshot.driver.workflow.graph import Graph
from manyshot.driver.workflow.widgets import Widget, list_widgets

from ..support.workflow_strategies import CATALOGUE, WORKFLOWS, graphs, to_ui

RECORDED = sorted(
    path.stem for path in WORKFLOWS.glob("*.json") if not path.name.endswith(".api.json")
)


def load(name: str) -> Any:
    return json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))


def test_there_are_recordings() -> None:
    assert len(RECORDED) >= 26


@pytest.mark.parametrize("name", RECORDED)
def test_equal_to_the_front_end(name: str) -> None:
    assert convert_ui(load(name), CATALOGUE, name) == load(f"{name}.api")


@given(graphs(), st.booleans())
def test_ui_form_of_a_graph_converts_back(graph: Graph, objects: bool) -> None:
    assert convert_ui(to_ui(graph, objects), CATALOGUE) == graph


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, (weighted:1.2)", "plain, (weighted:1.2)"),
        ("a {red|blue} cat", "a red cat"),
        ("{a|{b|c}}{{d|e} f|g}", "ad f"),
        (r"\{kept\} \| {x\|y|z}", "{kept} | x|y"),
        ("a // gone\nb /* gone\ntoo */ c", "a \nb  c"),
        ("{}{|x}}", "}"),
        ("open {a|b", "open a"),
        ("end \\", "end \\"),
    ],
)
def test_dynamic_prompts_take_the_first(text: str, expected: str) -> None:
    assert first_choice(text) == expected


@pytest.mark.parametrize(
    ("class_type", "expected"),
    [
        ("KSampler", "seed (control_after_generate) steps cfg sampler_name scheduler denoise"),
        ("LoadImage", "image (upload)"),
        ("PreviewAny", "preview*"),
        ("SaveAudio", "filename_prefix audioUI*"),
        ("LoadAudio", "audio audioUI* (upload)"),
        ("VAEDecode", ""),
        ("CreateHookKeyframesFromFloats", "start_percent end_percent print_keyframes"),
    ],
)
def test_widgets_of_a_class(class_type: str, expected: str) -> None:
    """In parentheses: saved and not sent; with a star: sent and not saved."""
    assert _shown(list_widgets(CATALOGUE.nodes[class_type])) == expected


def test_controlled_combo_has_two_more_widgets() -> None:
    combo = [["a", "b"], {"control_after_generate": True}]
    info = {"input": {"required": {"name": combo, "n": ["INT"]}}, "output": []}
    node = Catalogue.from_json({"A": info}).nodes["A"]
    assert _shown(list_widgets(node)) == "name (control_after_generate) (control_filter_list) n"


def test_class_renamed_long_ago_is_found() -> None:
    ui = load("controlnet")
    next(n for n in ui["nodes"] if n["type"] == "ControlNetLoader")["type"] = "T2IAdapterLoader"
    assert convert_ui(ui, CATALOGUE) == load("controlnet.api")


def test_values_by_name_are_taken() -> None:
    """Some node packs save widgets_values as an object."""
    ui = load("txt2img")
    next(n for n in ui["nodes"] if n["type"] == "KSampler")["widgets_values"] = {"seed": 5}
    inputs = convert_ui(ui, CATALOGUE)["5"]["inputs"]
    assert (inputs["seed"], inputs["steps"]) == (5, 20)


def test_primitive_inside_a_subgraph_is_applied() -> None:
    """There the front end 1.32.9 looks the link up in the wrong graph and keeps the old value."""
    ui = load("subgraph")
    inner = ui["definitions"]["subgraphs"][0]
    sampler = next(n for n in inner["nodes"] if n["type"] == "KSampler")
    next(i for i in sampler["inputs"] if i["name"] == "seed")["link"] = 900
    link = {"id": 900, "origin_id": 50, "origin_slot": 0, "target_id": sampler["id"]}
    inner["links"].append({**link, "target_slot": 0, "type": "INT"})
    inner["nodes"].append({"id": 50, "type": "PrimitiveNode", "widgets_values": [4711, "fixed"]})
    graph = convert_ui(ui, CATALOGUE)
    assert [n["inputs"]["seed"] for n in graph.values() if n["class_type"] == "KSampler"] == [4711]


def test_exact_large_seeds_survive() -> None:
    """JavaScript rounds them; Python need not."""
    ui = load("txt2img")
    next(n for n in ui["nodes"] if n["type"] == "KSampler")["widgets_values"][0] = 2**64 - 1
    assert convert_ui(ui, CATALOGUE)["5"]["inputs"]["seed"] == 2**64 - 1


def test_unknown_class_is_named_with_the_nearest() -> None:
    ui = load("txt2img")
    ui["nodes"][0].update(type="CheckpointLoaderSimpel", title="My model")
    with pytest.raises(InputError) as caught:
        convert_ui(ui, CATALOGUE, "flow.json")
    words = [
        "flow.json",
        "node 1",
        '"My model"',
        "CheckpointLoaderSimpel",
        "CheckpointLoaderSimple",
    ]
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("mode", [2, 4])
def test_unknown_class_that_does_not_run_is_passed(mode: int) -> None:
    ui = load("txt2img")
    ui["nodes"].append({"id": 77, "type": "Nowhere", "mode": mode})
    assert "77" not in convert_ui(ui, CATALOGUE)


def test_group_node_is_refused_with_advice() -> None:
    ui = load("txt2img")
    ui["nodes"].append({"id": 77, "type": "workflow>My group"})
    with pytest.raises(InputError, match="group node .* convert it to a subgraph"):
        convert_ui(ui, CATALOGUE, "flow.json")


def test_broken_link_is_named() -> None:
    ui = load("txt2img")
    next(n for n in ui["nodes"] if n["type"] == "KSampler")["inputs"][0]["link"] = 9999
    with pytest.raises(InputError, match=r"node 5 \(KSampler\), input 'model'"):
        convert_ui(ui, CATALOGUE)


def test_subgraph_in_itself_is_refused() -> None:
    ui = load("subgraph")
    definition = ui["definitions"]["subgraphs"][0]
    definition["nodes"].append({"id": 60, "type": definition["id"]})
    with pytest.raises(InputError, match="contains itself"):
        convert_ui(ui, CATALOGUE)


def test_small_file_of_many_nodes_is_refused() -> None:
    """Thirty levels of two instances each would be 2**30 nodes."""
    levels = [
        {"id": f"g{i}", "nodes": [{"id": k, "type": f"g{i + 1}"} for k in (1, 2)]}
        for i in range(30)
    ]
    ui = {"nodes": [{"id": 1, "type": "g0"}], "definitions": {"subgraphs": levels}}
    with pytest.raises(InputError, match="more than 100000 nodes"):
        convert_ui(ui, CATALOGUE)


def test_circle_of_reroutes_is_refused() -> None:
    ui = load("reroute_nodes")
    reroutes = [n for n in ui["nodes"] if n["type"] == "Reroute"]
    link = reroutes[1]["inputs"][0]["link"]
    reroutes[0]["inputs"][0]["link"] = link
    next(item for item in ui["links"] if item[0] == link)[1] = reroutes[0]["id"]
    with pytest.raises(InputError, match="cycle"):
        convert_ui(ui, CATALOGUE)


def test_long_chain_of_reroutes_is_no_trouble() -> None:
    ui = load("txt2img")
    decode = next(n for n in ui["nodes"] if n["type"] == "VAEDecode")
    origin = decode["inputs"][0]["link"]
    for step in range(5000):
        ui["links"].append([10_000 + step, 1000 + step, 0, 0, 0, "LATENT"])
        slot = {"name": "", "type": "*", "link": origin}
        ui["nodes"].append({"id": 1000 + step, "type": "Reroute", "inputs": [slot]})
        origin = 10_000 + step
    decode["inputs"][0]["link"] = origin
    assert convert_ui(ui, CATALOGUE)["6"]["inputs"]["samples"] == ["5", 0]


JUNK = st.sampled_from(
    [None, True, -1, 2**70, 1.5, "", "x", [], [[]], [None], {}, {"name": 3}, [{"link": {}}], "-10"]
).map(copy.deepcopy)


@given(st.sampled_from(RECORDED), st.data())
def test_any_part_replaced_by_junk_gives_a_graph_or_a_sentence(
    name: str, data: st.DataObject
) -> None:
    ui = copy.deepcopy(load(name))
    for _ in range(data.draw(st.integers(1, 3))):
        parent, key = data.draw(st.sampled_from(_places(ui)))
        parent[key] = data.draw(JUNK)
    said = _graph_or_sentence(ui)
    assert isinstance(said, dict) or ("f.json" in said and "\n" not in said)


def _graph_or_sentence(ui: Any) -> Graph | str:
    try:
        return convert_ui(ui, CATALOGUE, "f.json")
    except InputError as error:
        return str(error)


def _shown(widgets: list[Widget]) -> str:
    marks = {(True, True): "{}", (True, False): "({})", (False, True): "{}*"}
    return " ".join(marks[w.saved, w.sent].format(w.name) for w in widgets)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    return [(value, key) for key, _ in items] + [
        place
        for _, item in items
        if isinstance(item, dict | list) and item
        for place in _places(item)
    ]
