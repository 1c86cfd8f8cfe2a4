"""Preflight: against recorded verdicts of ComfyUI's own validate_prompt, and case by case."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.driver.workflow.catalogue import Catalogue, InputSpec
from manyshot.driver.workflow.graph import Graph, Slot, parse_api
from manyshot.driver.workflow.input_values import check_value
from manyshot.driver.workflow.preflight import check

from ..support.workflow_strategies import CATALOGUE, DATA, WORKFLOWS, graphs

VERDICTS = [json.loads(line) for line in (DATA / "validated.jsonl").read_text().splitlines()]


def load(name: str) -> Graph:
    return parse_api(json.loads((WORKFLOWS / f"{name}.api.json").read_text()), name)


def change(graph: Graph, node: str, **inputs: Any) -> Graph:
    changed = copy.deepcopy(graph)
    changed[node]["inputs"].update(inputs)
    return changed


def sentences(graph: Graph, catalogue: Catalogue = CATALOGUE) -> str:
    return "\n".join(problem.sentence() for problem in check(graph, catalogue, "f.json"))


@pytest.mark.parametrize(
    "name", ["txt2img", "img2img_lora", "controlnet", "two_pass", "subgraph_nested", "primitives"]
)
def test_good_workflow_has_no_problem(name: str) -> None:
    assert not sentences(load(name))


def test_whatever_the_server_refused_is_found() -> None:
    missed = [case for case in VERDICTS if case["refused"] and not sentences(_changed(case))]
    assert [case for case in missed if case["refused"] != ["custom_validation_failed"]] == []
    assert len([case for case in VERDICTS if case["refused"]]) > 150


def test_what_the_server_took_is_refused_only_with_reason() -> None:
    """The server takes any literal where a link belongs, makes True and 1.5 a 1, "None" of null and
    a text of a list, and an empty file name for the input folder itself."""
    taken = [case for case in VERDICTS if not case["refused"]]
    stricter = {
        (_declared(case).type, json.dumps(case["value"]))
        for case in taken
        if sentences(_changed(case)) and _declared(case).type not in CATALOGUE.link_types
    }
    assert stricter == {
        *(("INT", "true"), ("INT", "1.5"), ("FLOAT", "true"), ("COMBO", '""')),
        *(("STRING", "null"), ("STRING", '{"__value__": [1, 2]}')),
    }
    assert len(taken) > 300


@pytest.mark.parametrize(
    ("node", "inputs", "words"),
    [
        ("1", {"ckpt_name": "sd15.safetensor"}, ["'ckpt_name'", "nearest is 'sd15.safetensors'"]),
        ("1", {"ckpt_name": "zzz"}, ["It has other.safetensors, sd15.safetensors"]),
        ("5", {"sampler_name": "eulr"}, ["nearest is 'euler'", "more"]),
        ("5", {"steps": 0}, ["below the smallest value, 1"]),
        ("5", {"cfg": 100.5}, ["above the largest value, 100"]),
        ("5", {"seed": -1}, ["below the smallest value, 0"]),
        ("5", {"seed": 2**64}, ["above the largest value, 18446744073709551615"]),
        ("5", {"seed": True}, ["True is not a whole number"]),
        ("5", {"seed": "+-5"}, ["is not a whole number"]),
        ("5", {"steps": 1.5}, ["1.5 is not a whole number"]),
        ("5", {"cfg": "high"}, ["'high' is not a number"]),
        ("5", {"cfg": float("nan")}, ["nan is not a number"]),
        ("2", {"text": None}, ["None is not a text"]),
        ("5", {"model": "sd15"}, ["link to a node that makes MODEL"]),
        ("5", {"model": [1, 2, 3]}, ["neither a value nor a link"]),
        ("5", {"model": ["99", 0]}, ["node 99, which is not in the workflow"]),
        ("5", {"model": ["1", 7]}, ["output 7 of node 1", "which has 3"]),
        ("5", {"model": ["1", 1]}, ["takes MODEL", "is CLIP"]),
        ("5", {"latent_image": ["5", 0]}, ["links form a cycle", "node 5 (KSampler)"]),
    ],
)
def test_problem_names_place_and_answer(
    node: str, inputs: dict[str, Any], words: list[str]
) -> None:
    said = sentences(change(load("txt2img"), node, **inputs))
    assert said.startswith("f.json, node ")
    assert said.count("\n") == 0
    assert all(word in said for word in words), said


@pytest.mark.parametrize(
    ("node", "inputs"),
    [
        ("5", {"seed": 2**64 - 1}),
        ("5", {"seed": 8.0}),
        ("5", {"seed": "8"}),
        ("5", {"cfg": 7}),
        ("5", {"cfg": "7.5"}),
        ("2", {"text": 5}),
        ("7", {"unused": 3}),
    ],
)
def test_what_the_server_converts_without_loss_is_fine(node: str, inputs: dict[str, Any]) -> None:
    assert not sentences(change(load("txt2img"), node, **inputs))


def test_link_to_a_node_without_outputs() -> None:
    graph = load("txt2img")
    graph["8"] = copy.deepcopy(graph["7"])
    assert "which has none" in sentences(change(graph, "8", images=["7", 0]))


def test_misspelt_input_is_told_beside_the_missing_one() -> None:
    graph = load("txt2img")
    graph["5"]["inputs"]["sampler_nam"] = graph["5"]["inputs"].pop("sampler_name")
    said = sentences(graph)
    assert "input 'sampler_name': it is required" in said
    assert "Did you mean 'sampler_name'?" in said


def test_unknown_class_counts_anywhere() -> None:
    graph = load("txt2img")
    graph["50"] = {"class_type": "KSampelr", "inputs": {}}
    assert "no node class 'KSampelr'. The nearest it has is KSampler." in sentences(graph)


def test_hostile_number_of_problems_is_cut() -> None:
    graph = load("txt2img")
    for index in range(5000):
        graph[f"x{index}"] = {"class_type": f"Nowhere{index}", "inputs": {}}
    assert len(check(graph, CATALOGUE)) == 100


def test_nodes_that_lead_nowhere_are_not_looked_at() -> None:
    graph = load("txt2img")
    graph["50"] = {"class_type": "KSampler", "inputs": {"seed": "x"}}
    assert not sentences(graph)


def test_graph_without_output_is_told() -> None:
    graph = load("txt2img")
    del graph["7"]
    assert "no node outputs a result" in sentences(graph)


def test_bound_slots_are_left_out() -> None:
    graph = change(load("txt2img"), "5", seed=None)
    assert check(graph, CATALOGUE)
    assert not check(graph, CATALOGUE, bound=[Slot("5", "seed")])


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("example.png", True),
        ("folder/any.png", True),
        ("any.png [output]", True),
        ("any.png", False),
        ("../any.png", False),
        ("", False),
    ],
)
def test_uploaded_files_may_lie_in_folders(value: str, fits: bool) -> None:
    spec = CATALOGUE.nodes["LoadImage"].inputs["image"]
    assert (check_value(spec, value) is None) is fits


def test_both_combo_forms_multiselect_and_remote_lists() -> None:
    old = InputSpec("a", "COMBO", True, ("x", "y"))
    many = InputSpec("a", "COMBO", True, ("x", "y"), {"multiselect": True})
    remote = InputSpec("a", "COMBO", True, ("x",), {"remote": {"route": "/r"}})
    assert check_value(old, "z")
    assert check_value(many, {"__value__": ["x", "y"]}) is None
    assert check_value(many, {"__value__": ["x", "z"]})
    assert check_value(remote, "anything") is None
    assert CATALOGUE.nodes["KSampler"].inputs["scheduler"].options == (
        CATALOGUE.nodes["BasicScheduler"].inputs["scheduler"].options
    )


def test_server_without_any_model_says_so() -> None:
    info = json.loads((DATA / "object_info.json").read_text())
    info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0] = []
    said = sentences(load("txt2img"), Catalogue.from_json(info))
    assert "it has no file for this input at all" in said


@pytest.mark.parametrize(
    ("output", "wanted", "fits"),
    [
        ("TRIPO_A", "TRIPO_A,TRIPO_B", True),
        ("A,B", "B,C", True),
        ("A", "B,C", False),
        ("*", "A", True),
        ("A", "*", True),
    ],
)
def test_types_fit_by_any_member(output: str, wanted: str, fits: bool) -> None:
    def node(inputs: dict[str, Any], outputs: list[str], is_output: bool) -> dict[str, Any]:
        return {"input": {"required": inputs}, "output": outputs, "output_node": is_output}

    catalogue = Catalogue.from_json(
        {"A": node({}, [output], False), "B": node({"x": [wanted]}, [], True)}
    )
    graph = parse_api(
        {"1": {"class_type": "A"}, "2": {"class_type": "B", "inputs": {"x": ["1", 0]}}}, "f"
    )
    assert (not check(graph, catalogue)) is fits


@pytest.mark.parametrize(
    "data", [None, [], {}, {"A": None}, {"A": {}}, {"A": {"input": 5, "output": []}}, {"A": 3}]
)
def test_malformed_object_info_is_one_sentence(data: Any) -> None:
    from manyshot.core.errors import InputError

    with pytest.raises(InputError, match="/object_info"):
        Catalogue.from_json(data)


@given(graphs(), st.data())
def test_any_value_anywhere_gives_sentences(graph: Graph, data: st.DataObject) -> None:
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=3,
    )
    for node in graph.values():
        for name in node["inputs"]:
            if data.draw(st.booleans()):
                node["inputs"][name] = data.draw(junk)
    for problem in check(graph, CATALOGUE, "f.json"):
        assert problem.sentence().startswith("f.json")
        assert "\n" not in problem.sentence()


def _changed(case: dict[str, Any]) -> Graph:
    graph = copy.deepcopy(load(case["base"]))
    inputs = graph[case["node"]]["inputs"]
    if "value" in case:
        inputs[case["input"]] = case["value"]
    else:
        del inputs[case["input"]]
    return graph


def _declared(case: dict[str, Any]) -> InputSpec:
    class_type = load(case["base"])[case["node"]]["class_type"]
    return CATALOGUE.nodes[class_type].inputs[case["input"]]
