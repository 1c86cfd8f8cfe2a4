"""Canvas files and API graphs on a ComfyUI newer than 0.3.75: against recordings of ComfyUI 0.33.0
and its front end 1.49.6, and as a property."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.driver.workflow.canvas import CanvasNode
from manyshot.driver.workflow.catalogue import Catalogue, types_fit
from manyshot.driver.workflow.convert_ui import convert_ui
from manyshot.driver.workflow.dynamic_inputs import expand
from manyshot.driver.workflow.graph import Graph, Slot
from manyshot.driver.workflow.node_addresses import resolve
from manyshot.driver.workflow.preflight import check
from manyshot.driver.workflow.widgets import list_widgets, read_node

from ..support.workflow_strategies import CATALOGUE, DATA, WORKFLOWS

RECORDINGS = DATA / "comfyui_033"
RECENT = Catalogue.from_json(json.loads((RECORDINGS / "object_info.json").read_text("utf-8")))
NAMES = sorted(path.name.removesuffix(".api.json") for path in RECORDINGS.glob("*.api.json"))


def read_canvas_file(name: str) -> Any:
    """A canvas of today's, or one of the older front end, opened by today's."""
    path = RECORDINGS / f"{name}.json"
    return json.loads((path if path.exists() else WORKFLOWS / path.name).read_text("utf-8"))


def read_export(name: str) -> Graph:
    return json.loads((RECORDINGS / f"{name}.api.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_front_end(name: str) -> None:
    assert convert_ui(read_canvas_file(name), RECENT, name) == read_export(name)


@pytest.mark.parametrize("name", [n for n in NAMES if (RECORDINGS / f"{n}.json").exists()])
def test_an_export_passes_the_check_but_for_missing_files(name: str) -> None:
    problems = check(read_export(name), RECENT, name)
    assert [p.text for p in problems if "no file for this input" not in p.text] == []


def test_the_two_generations_are_told_apart() -> None:
    assert RECENT.recent
    assert not CATALOGUE.recent


@pytest.mark.parametrize(
    ("class_type", "values", "expected"),
    [
        ("ResizeImageMaskNode", {}, ["input", "resize_type", "scale_method"]),
        (
            "ResizeImageMaskNode",
            {"resize_type": "scale longer dimension"},
            ["input", "resize_type", "resize_type.longer_size", "scale_method"],
        ),
        ("ResizeImageMaskNode", {"resize_type": "none"}, ["input", "resize_type", "scale_method"]),
        (
            "ResizeImageMaskNode",
            {"resize_type": ["1", 0]},
            ["input", "resize_type", "scale_method"],
        ),
        (
            "SaveVideo",
            {"format": "auto", "format.codec": "h264", "format.codec.encoding": "auto"},
            ["video", "filename_prefix", "format", "format.codec", "format.codec.encoding"]
            + ["codec"],
        ),
        ("BatchImagesNode", {}, ["images.image0"]),
        ("BatchImagesNode", {"images.image3": 1}, ["images.image0", "images.image3"]),
        ("BatchImagesNode", {"images.image50": 1}, ["images.image0"]),
        ("MergeMeshes", {}, ["meshes.mesh0", "meshes.mesh1"]),
        ("StringFormat", {"values.c": 1}, ["values.c", "f_string"]),
        ("EmptyImage", {}, ["width", "height", "batch_size", "color"]),
    ],
)
def test_inputs_follow_the_values(
    class_type: str, values: dict[str, Any], expected: list[str]
) -> None:
    assert list(expand(RECENT.nodes[class_type], values).inputs) == expected


@pytest.mark.parametrize(
    ("name", "node_id", "changed", "slot", "text"),
    [
        ("resize_longer", "2", {"resize_type": "scale longest"}, "resize_type", "scale longer"),
        ("resize_longer", "2", {"resize_type.longer_size": None}, "resize_type.longer_size", "INT"),
        ("resize_longer", "2", {"resize_type.longer_size": -1}, "resize_type.longer_size", "below"),
        ("autogrow_prefix", "4", {"images.image0": None}, "images.image0", "it takes IMAGE"),
        ("autogrow_prefix", "4", {"images.image1": 5}, "images.image1", "a link to a node"),
        (
            "video_reencode",
            "3",
            {"format.codec.encoding.crf": 99},
            "format.codec.encoding.crf",
            "51",
        ),
        ("save_advanced", "2", {"format.bit_depth": "8-bit"}, "format.bit_depth", "32-bit float"),
    ],
)
def test_what_the_server_would_refuse(
    name: str, node_id: str, changed: dict[str, Any], slot: str, text: str
) -> None:
    graph = read_export(name)
    inputs = graph[node_id]["inputs"] | changed
    graph[node_id]["inputs"] = {key: value for key, value in inputs.items() if value is not None}
    problems = check(graph, RECENT)
    assert [problem.input for problem in problems] == [slot]
    assert text in problems[0].text


@pytest.mark.parametrize(
    ("name", "address", "slot"),
    [
        ("video_reencode", "Save Video.format.codec", Slot("3", "format.codec")),
        (
            "video_reencode",
            "SaveVideo.format.codec.encoding.crf",
            ("3", "format.codec.encoding.crf"),
        ),
        ("autogrow_names", "@3.values.a", Slot("3", "values.a")),
    ],
)
def test_addresses_reach_dynamic_inputs(name: str, address: str, slot: Slot) -> None:
    assert resolve(read_export(name), address, RECENT) == slot


@pytest.mark.parametrize(
    "types", [("COMFY_MATCHTYPE_V3", "MODEL"), ("IMAGE", "COMFY_MATCHTYPE_V3")]
)
def test_a_match_type_takes_any_link(types: tuple[str, str]) -> None:
    assert types_fit(*types)


@pytest.mark.parametrize(
    "declaration",
    [
        ["COMFY_DYNAMICCOMBO_V3", {}],
        ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "a"}]}],
        ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": [], "inputs": {}}]}],
        ["COMFY_AUTOGROW_V3", {"template": {"input": {}}}],
        ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"a": ["X"]}}, "max": "many"}}],
    ],
)
def test_a_malformed_declaration_names_its_class(declaration: Any) -> None:
    info = {"input": {"required": {"x": declaration}}, "output": []}
    with pytest.raises(InputError, match="the entry of node class 'Odd' is malformed"):
        Catalogue.from_json({"Odd": info})


@given(st.sampled_from(["SaveVideo", "ResizeImageMaskNode", "SaveImageAdvanced"]), st.data())
def test_values_by_position_find_their_widgets(class_type: str, data: st.DataObject) -> None:
    """Whatever options are chosen, each value goes to the widget that it was saved for."""
    spec = RECENT.nodes[class_type]
    values: dict[str, Any] = {}
    while True:
        names = [widget.name for widget in list_widgets(expand(spec, values)) if widget.saved]
        name = next((name for name in names if name not in values), None)
        if name is None:
            break
        declared = expand(spec, values).inputs[name]
        values[name] = data.draw(st.sampled_from(declared.options or (f"value of {name}",)))
    node = CanvasNode("1", class_type, "", 0, (), (), [values[name] for name in names], {})
    assert read_node(node, spec, recent=True)[1] == values
