"""manyshot's own nodes, delivering nodes, and the expensive part of a graph."""

import json
from typing import Any

import pytest
from hypothesis import given
from manyshot.core.errors import InputError
from manyshot.driver.workflow.catalogue import Catalogue
from manyshot.driver.workflow.graph import Graph, Slot, canonical, parse_api
from manyshot.driver.workflow.model_groups import expensive_part, expensive_prefix, prefix_template
from manyshot.driver.workflow.own_nodes import fold
from manyshot.driver.workflow.preflight import check
from manyshot.driver.workflow.save_nodes import (
    deliver,
    delivering_node,
    delivering_nodes,
    not_in_id,
)
from manyshot.driver.workflow.template import Template

from ..support.workflow_strategies import CATALOGUE, WORKFLOWS, graphs


def load(name: str) -> Graph:
    return parse_api(json.loads((WORKFLOWS / f"{name}.api.json").read_text()), name)


def node(class_type: str, **inputs: Any) -> Any:
    return {"class_type": class_type, "inputs": inputs}


def own_graph() -> Graph:
    graph = load("txt2img")
    graph["2"]["inputs"]["text"] = ["20", 0]
    graph["3"]["inputs"]["text"] = ["20", 1]
    graph["5"]["inputs"]["seed"] = ["20", 3]
    graph["7"] = node("ManyshotSaveLabelled", images=["6", 0], class_name=["20", 2], folder="cats")
    graph["20"] = node("ManyshotClassPrompts", classes="cat\ndog", templates="a {class_name}")
    return graph


def test_class_prompts_are_folded_away() -> None:
    folded = fold(own_graph())
    assert "20" not in folded.graph
    assert folded.settings == {"classes": "cat\ndog", "templates": "a {class_name}"}
    assert folded.fields == {
        Slot("2", "text"): "prompt",
        Slot("3", "text"): "negative",
        Slot("5", "seed"): "seed",
        Slot("7", "class_name"): "class_name",
        Slot("7", "prompt"): "prompt",
        Slot("7", "negative"): "negative",
        Slot("7", "seed"): "seed",
        Slot("7", "name"): "job_id",
    }
    assert folded.graph["5"]["inputs"]["seed"] is None
    assert folded.graph["1"] is not None


def test_graph_without_own_nodes_is_left_alone() -> None:
    graph = load("txt2img")
    folded = fold(graph)
    assert (folded.graph, folded.fields, folded.settings) == (graph, {}, {})


def test_two_class_prompts_are_refused() -> None:
    graph = own_graph() | {"21": node("ManyshotClassPrompts")}
    with pytest.raises(InputError, match="2 ManyshotClassPrompts nodes, node 20 .* and node 21"):
        fold(graph)


def test_prompt_with_subject_is_taken_out_like_class_prompts() -> None:
    graph = own_graph()
    graph["20"]["class_type"] = "ManyshotSubjectPrompts"
    assert fold(graph) == fold(own_graph())


def test_link_to_an_output_that_is_not_there_is_refused() -> None:
    graph = own_graph()
    graph["5"]["inputs"]["steps"] = ["20", 4]
    with pytest.raises(InputError, match=r"'steps' of node 5 .* output 4"):
        fold(graph)


def test_table_of_names_matches_the_nodes() -> None:
    """The nodes' own schemas, read as text: they cannot be imported without ComfyUI."""
    from pathlib import Path

    from manyshot.driver.workflow import own_nodes as table

    root = Path(__file__).parents[2] / "comfy_nodes"
    save = (root / "save_labelled.py").read_text()
    prompts = (root / "prompt_lists.py").read_text()
    files = ("class_prompts", "subject_prompts", "mask_prompts")
    sources = [(root / f"{name}.py").read_text() for name in files]
    own = [*table.SAVE_LABELLED_FIELDS, table.SAVE_LABELLED_DELIVERY, table.SAVE_LABELLED_FOLDER]
    assert all(f'"{name}",' in save for name in own)
    assert f'node_id="{table.SAVE_LABELLED}"' in save
    for node_id, source in zip(table.PROMPT_NODES, sources, strict=True):
        assert f'node_id="{node_id}"' in source
        assert "outputs=prompt_outputs()" in source
    outputs = [f'display_name="{name}"' for name in table.CLASS_PROMPTS_OUTPUTS]
    assert [prompts.index(name) for name in outputs] == sorted(map(prompts.index, outputs))


def test_tables_match_the_nodes_of_masks() -> None:
    from pathlib import Path

    from manyshot.driver.pairs.photo_slots import COMPOSE, VARY
    from manyshot.driver.workflow.own_nodes import SEEDED
    from manyshot.driver.workflow.replace_loader import FIELDS, LOAD_LABELLED

    root = Path(__file__).parents[2] / "comfy_nodes"
    nodes = "".join(path.read_text() for path in root.glob("*.py"))
    for node_id in (LOAD_LABELLED, COMPOSE, VARY, *SEEDED):
        assert f'node_id="{node_id}"' in nodes
    loader = (root / "load_labelled.py").read_text()
    outputs = [f'display_name="{name}"' for name in ("image", "mask", *FIELDS.values())]
    assert [loader.index(name) for name in outputs] == sorted(map(loader.index, outputs))


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        ("txt2img", None, "7"),
        ("notes_muted", None, "7"),  # its preview does not count beside a saving node
        ("notes_muted", "PreviewImage", "12"),
        ("txt2img", "@7", "7"),
        ("txt2img", "Save Image", "7"),
    ],
)
def test_delivering_node(name: str, output: str | None, expected: str) -> None:
    assert delivering_node(load(name), CATALOGUE, output) == expected


def test_only_a_preview_is_taken() -> None:
    graph = load("txt2img")
    graph["7"] = node("PreviewImage", images=["6", 0])
    assert delivering_node(graph, None, None) == "7"


def test_output_node_of_another_pack_is_known_by_its_inputs() -> None:
    graph = load("txt2img")
    graph["7"] = node("SaveAnimatedPNG", images=["6", 0], filename_prefix="x", fps=6)
    assert delivering_node(graph, CATALOGUE, None) == "7"
    with pytest.raises(InputError, match="saves no images"):
        delivering_node(graph, None, None)


def test_several_saving_nodes_need_a_choice() -> None:
    graph = load("txt2img") | {"8": node("SaveImage", images=["6", 0], filename_prefix="b")}
    with pytest.raises(InputError, match=r"@7 is node 7 .*; @8 is node 8 .*save: '@7'"):
        delivering_node(graph, CATALOGUE, None)
    assert delivering_node(graph, CATALOGUE, "@8") == "8"


def test_node_named_as_output_must_deliver() -> None:
    with pytest.raises(InputError, match="named under 'save', saves no images"):
        delivering_node(load("txt2img"), CATALOGUE, "KSampler")


def test_websocket_delivery_writes_nothing() -> None:
    delivery = deliver(load("txt2img"), ["7"], "websocket", CATALOGUE)
    assert delivery.graph["7"]["class_type"] == "SaveImageWebsocket"
    assert delivery.graph["7"]["inputs"] == {"images": ["6", 0]}
    assert delivery.prefixes == ()
    assert not check(delivery.graph, CATALOGUE)


@pytest.mark.parametrize("class_type", ["SaveImage", "PreviewImage", "SaveImageWebsocket"])
def test_view_delivery_saves_under_a_prefix_of_ours(class_type: str) -> None:
    graph = load("txt2img")
    if class_type != "SaveImage":
        graph["7"] = node(class_type, images=["6", 0])
    delivery = deliver(graph, ["7"], "view", CATALOGUE)
    assert delivery.graph["7"]["class_type"] == "SaveImage"
    assert delivery.prefixes == (Slot("7", "filename_prefix"),)
    assert not check(delivery.graph, CATALOGUE)


@pytest.mark.parametrize(("transport", "mode"), [("websocket", "websocket"), ("view", "folder")])
def test_save_labelled_keeps_its_place(transport: Any, mode: str) -> None:
    folded = fold(own_graph())
    delivery = deliver(folded.graph, delivering_nodes(folded.graph, None, None), transport)
    inputs = delivery.graph["7"]["inputs"]
    assert delivery.graph["7"]["class_type"] == "ManyshotSaveLabelled"
    assert (inputs["delivery"], inputs["folder"], delivery.prefixes) == (mode, "cats", ())


def test_other_outputs_are_cut_off() -> None:
    graph = load("subgraph_twice")
    delivery = deliver(graph, delivering_nodes(graph, CATALOGUE, "Save Image"), "view", CATALOGUE)
    assert {"8:2", "8:3", "5", "7"} <= set(delivery.graph)
    assert {"9:2", "9:3", "10", "11", "12"}.isdisjoint(delivery.graph)


@given(graphs())
def test_delivery_leaves_its_graph_as_it_was(graph: Graph) -> None:
    before = json.dumps(graph)
    for node_id in graph:
        for transport in ("websocket", "view"):
            deliver(graph, [node_id], transport, CATALOGUE)
    assert json.dumps(graph) == before


def test_places_of_files_are_not_in_the_id() -> None:
    folded = fold(own_graph())
    places = ("name", "delivery", "folder", "source_image")
    assert not_in_id(folded.graph) == {Slot("7", name) for name in places}
    assert not_in_id(load("txt2img")) == {Slot("7", "filename_prefix")}


def test_expensive_part_is_the_models_alone() -> None:
    assert set(expensive_part(load("txt2img"), CATALOGUE)) == {"1"}
    assert set(expensive_part(load("controlnet"), CATALOGUE)) == {"1", "9"}
    assert set(expensive_part(load("img2img_lora"), CATALOGUE)) == {"1", "10"}


def test_key_follows_models_and_nothing_else() -> None:
    graph = load("img2img_lora")
    key = expensive_prefix(graph, CATALOGUE)
    other = json.loads(json.dumps(graph))
    other["5"]["inputs"]["seed"] = 1
    other["2"]["inputs"]["text"] = "a dog"
    assert expensive_prefix(other, CATALOGUE) == key
    other["1"]["inputs"]["ckpt_name"] = "other.safetensors"
    assert expensive_prefix(other, CATALOGUE) != key


def test_name_of_a_model_may_come_by_link() -> None:
    graph = load("txt2img")
    graph["30"] = node("PrimitiveString", value="sd15.safetensors")
    graph["1"]["inputs"]["ckpt_name"] = ["30", 0]
    assert set(expensive_part(graph, CATALOGUE)) == {"1", "30"}


def test_pictures_do_not_split_groups() -> None:
    """A node that patches a model with an image makes no other model to load."""
    info = {
        "Load": {"input": {"required": {"name": [["a"]]}}, "output": ["MODEL"]},
        "Photo": {"input": {"required": {"image": [["a.png"]]}}, "output": ["IMAGE"]},
        "Patch": {
            "input": {"required": {"model": ["MODEL"], "image": ["IMAGE"]}},
            "output": ["MODEL"],
        },
    }
    graph: Graph = {
        "1": node("Load", name="a"),
        "2": node("Photo", image="a.png"),
        "3": node("Patch", model=["1", 0], image=["2", 0]),
    }
    catalogue = Catalogue.from_json(info)
    assert set(expensive_part(graph, catalogue)) == {"1", "3"}


def test_prefix_template_has_the_slots_that_matter() -> None:
    graph = load("img2img_lora")
    slots = [Slot("5", "seed"), Slot("10", "strength_model"), Slot("1", "ckpt_name")]
    values = {slots[0]: 1, slots[1]: 0.5, slots[2]: "other.safetensors"}
    template = Template(graph, slots)
    prefix = prefix_template(template, CATALOGUE)
    assert set(prefix.slots) == set(slots[1:])
    assert prefix.digest(values) == expensive_prefix(template.graph(values), CATALOGUE)
    assert prefix.digest(values) != prefix.digest({**values, slots[1]: 0.6})
    assert prefix.digest(values) == prefix.digest({**values, slots[0]: 2})


def test_bound_links_are_not_followed() -> None:
    graph = load("txt2img")
    graph["30"] = node("PrimitiveString", value="sd15.safetensors")
    graph["1"]["inputs"]["ckpt_name"] = ["30", 0]
    slot = Slot("1", "ckpt_name")
    prefix = prefix_template(Template(graph, [slot]), CATALOGUE)
    assert set(prefix.base) == {"1"}
    assert canonical(prefix.graph({slot: "x"})) == canonical(
        {"1": node("CheckpointLoaderSimple", ckpt_name="x")}
    )
