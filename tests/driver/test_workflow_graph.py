"""Graphs, addresses, binding, templates."""

import json
import random
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.driver.workflow.graph import (
    Graph,
    Slot,
    canonical,
    id_order,
    is_link,
    parse_api,
    shorten,
    upstream,
)
from manyshot.driver.workflow.node_addresses import bind, find_nodes, resolve, resolve_node
from manyshot.driver.workflow.template import Template

from ..support.workflow_strategies import CATALOGUE, WORKFLOWS, graphs

GRAPH: Graph = parse_api(json.loads((WORKFLOWS / "txt2img.api.json").read_text()), "txt2img")
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("address", "slot"),
    [
        ("KSampler.seed", ("5", "seed")),
        ("Positive prompt.text", ("2", "text")),
        ("Negative v1.5.text", ("3", "text")),
        ("CLIPTextEncode#2.text", ("3", "text")),
        ("CLIPTextEncode#1.text", ("2", "text")),
        ("@5.seed", ("5", "seed")),
        ("KSampler.latent_image", ("5", "latent_image")),
    ],
)
def test_address_names_one_slot(address: str, slot: tuple[str, str]) -> None:
    assert resolve(GRAPH, address) == Slot(*slot)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "CLIPTextEncode.text",
            ["@2.text", "Positive prompt", "a photo of a cat", "@3.text", "#2"],
        ),
        ("KSamper.seed", ["no node 'KSamper'", "Did you mean 'KSampler'"]),
        ("KSampler.sed", ["node 5 (KSampler)", "no input 'sed'", "Did you mean 'seed'"]),
        ("KSampler#3.seed", ["has 1 of that name"]),
        ("KSampler#0.seed", ["has 1 of that name"]),
        ("@99.seed", ["@99", "@1, @2"]),
        ("seed", ["is not an address"]),
        (".seed", ["is not an address"]),
        ("KSampler.", ["is not an address"]),
        ("", ["is not an address"]),
        ("x" * 9999 + ".y", ["no node"]),
    ],
)
def test_wrong_address_says_what_is_right(address: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        resolve(GRAPH, address)
    assert all(word in str(caught.value) for word in words), caught.value
    assert len(str(caught.value)) < 600


def test_title_wins_over_class_and_a_default_title_is_none() -> None:
    graph = parse_api(
        {
            "1": {"class_type": "A", "inputs": {"x": 1}, "_meta": {"title": "B"}},
            "2": {"class_type": "B", "inputs": {"x": 2}, "_meta": {"title": "B"}},
            "3": {"class_type": "B", "inputs": {"x": 3}, "_meta": {"title": "Other"}},
        },
        "f",
    )
    assert find_nodes(graph, "B") == ["1"]
    assert resolve(graph, "Other.x") == Slot("3", "x")
    del graph["1"]
    with pytest.raises(InputError, match="fits 2 nodes"):
        resolve(graph, "B.x")


def test_input_decides_between_nodes_of_one_title() -> None:
    meta = {"title": "Load"}
    graph = parse_api(
        {
            "1": {"class_type": "A", "inputs": {"model": "m"}, "_meta": meta},
            "2": {"class_type": "B", "inputs": {"image": "i", "v1.5": 0}, "_meta": meta},
        },
        "f",
    )
    assert resolve(graph, "Load.image") == Slot("2", "image")
    assert resolve(graph, "Load.v1.5") == Slot("2", "v1.5")  # an input's name may hold a dot
    assert resolve(graph, "Load#2.image") == Slot("2", "image")


def test_unset_optional_input_is_found_with_a_catalogue() -> None:
    graph = parse_api({"1": {"class_type": "VAEEncode", "inputs": {}}}, "f")
    assert resolve(graph, "VAEEncode.pixels", CATALOGUE) == Slot("1", "pixels")
    with pytest.raises(InputError, match="has no input 'pixels'"):
        resolve(graph, "VAEEncode.pixels")


def test_node_addresses() -> None:
    assert resolve_node(GRAPH, "SaveImage") == "7"
    assert resolve_node(GRAPH, "Negative v1.5") == "3"
    with pytest.raises(InputError, match="@2 is node 2"):
        resolve_node(GRAPH, "CLIPTextEncode")


def test_ids_order_as_numbers() -> None:
    assert sorted(["10", "9", "57:8", "57:10", "x", "2"], key=id_order) == [
        *("2", "9", "10", "57:8", "57:10", "x")
    ]


@given(graphs(), st.data())
def test_bound_values_read_back_and_the_rest_stays(graph: Graph, data: st.DataObject) -> None:
    slots = _slots(graph)
    chosen = data.draw(st.dictionaries(st.sampled_from(slots), JSON_VALUES, max_size=5))
    before = json.dumps(graph)
    bound = bind(graph, chosen)
    assert json.dumps(graph) == before
    for slot in slots:
        expected = chosen.get(slot, graph[slot.node_id]["inputs"].get(slot.input, "unset"))
        assert bound[slot.node_id]["inputs"].get(slot.input, "unset") == expected
    assert {i: n["class_type"] for i, n in bound.items()} == {
        i: n["class_type"] for i, n in graph.items()
    }


@given(graphs())
def test_every_slot_has_an_address(graph: Graph) -> None:
    for slot in (Slot(i, name) for i, node in graph.items() for name in node["inputs"]):
        assert resolve(graph, f"@{slot.node_id}.{slot.input}") == slot


@given(graphs(), st.data())
def test_digest_is_the_hash_of_the_bound_graph(graph: Graph, data: st.DataObject) -> None:
    slots = _slots(graph)
    chosen = data.draw(st.lists(st.sampled_from(slots), unique=True, max_size=6))
    exclude = data.draw(st.sets(st.sampled_from(slots), max_size=3))
    values = {slot: data.draw(JSON_VALUES) for slot in chosen}
    template = Template(graph, chosen, exclude)
    bound = bind(graph, values)
    assert template.graph(values) == bound
    assert template.digest(values) == _sha256(canonical(bound, exclude))


@given(graphs(), st.randoms())
def test_canonical_text_is_json_and_knows_no_order(graph: Graph, chance: random.Random) -> None:
    assert json.loads(canonical(graph)) == {
        i: {"class_type": n["class_type"], "inputs": n["inputs"]} for i, n in graph.items()
    }
    assert canonical(_shuffled(graph, chance)) == canonical(graph)


def test_excluded_slots_and_titles_leave_no_trace() -> None:
    slot = Slot("7", "filename_prefix")
    renamed = bind(GRAPH, {slot: "elsewhere"})
    renamed["7"]["_meta"] = {"title": "Other"}
    assert canonical(renamed, [slot]) == canonical(GRAPH, [slot])
    assert canonical(renamed) != canonical(GRAPH)


def test_value_that_is_no_json_is_refused() -> None:
    slot = Slot("5", "cfg")
    for value in (float("nan"), float("inf"), object(), {1, 2}):
        with pytest.raises(InputError, match="cannot be written as JSON"):
            Template(GRAPH, [slot]).digest({slot: value})


def test_upstream_follows_links_only() -> None:
    assert upstream(GRAPH, ["5"]) == {"1", "2", "3", "4", "5"}
    assert upstream(GRAPH, ["nowhere"]) == set()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["4", 0], True),
        (["4", True], False),
        ([4, 0], False),
        (["4", "0"], False),
        (["4"], False),
        ("4", False),
        ({"__value__": ["4", 0]}, False),
    ],
)
def test_link_form(value: Any, expected: bool) -> None:
    assert is_link(value) is expected


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"1": None},
        {"1": {}},
        {"1": {"class_type": 5}},
        {"1": {"class_type": ""}},
        {"1": {"class_type": "A", "inputs": []}},
        {"": {"class_type": "A"}},
        {"x" * 300: {"class_type": "A"}},
    ],
)
def test_malformed_graph_is_one_sentence(data: Any) -> None:
    with pytest.raises(InputError, match=r"file\.json"):
        parse_api(data, "file.json")


def test_shortened_text_is_one_printable_line() -> None:
    assert shorten("a\nb\x00\ud800c") == "a b  c"
    assert len(shorten("x" * 10**6)) == 60


def _slots(graph: Graph) -> list[Slot]:
    """Every input that is set, and one that is not."""
    found = [Slot(i, name) for i, node in graph.items() for name in node["inputs"]]
    return [*found, Slot(next(iter(graph)), "made_up")]


def _sha256(text: str) -> str:
    return sha256(text.encode("ascii")).hexdigest()


def _shuffled(graph: Graph, chance: random.Random) -> Graph:
    def shuffle(data: dict[str, Any]) -> dict[str, Any]:
        keys = list(data)
        chance.shuffle(keys)
        return {key: data[key] for key in keys}

    return {
        node_id: {**node, "inputs": shuffle(node["inputs"])}  # type: ignore[misc]
        for node_id, node in shuffle(graph).items()
    }
