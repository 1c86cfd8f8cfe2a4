"""The API graph: node id -> class and inputs, as ComfyUI's `POST /prompt` takes it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple, NotRequired, TypedDict, TypeGuard

from ...core.errors import InputError
from ...core.webui_prompt import PLAIN, WEBUI, Language

PROMPT_NODE = "ManyshotWebUIPrompt"
TEXT_ENCODE = "CLIPTextEncode"  # and its variants, which have the beginning of their names alike


class Node(TypedDict):
    """One node: an input is a literal, or a link `[node id, output index]`."""

    class_type: str
    inputs: dict[str, Any]
    _meta: NotRequired[dict[str, Any]]


Graph = dict[str, Node]


class Slot(NamedTuple):
    """One input of one node of a graph."""

    node_id: str
    input: str


def parse_api(data: Any, where: str) -> Graph:
    """`data` as a graph; unknown keys of a node are dropped. Raises InputError with `where`."""
    if not isinstance(data, dict) or not data:
        raise InputError(f"{where} has no nodes. Save the workflow with Export (API) again.")
    return {_node_id(key, where): _parse_node(key, node, where) for key, node in data.items()}


def is_link(value: Any) -> TypeGuard[list[Any]]:
    """Whether an input's value is a link, `[node id, output index]`."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and type(value[1]) is int
    )


def links(node: Node) -> Iterator[tuple[str, str, int]]:
    """(input, source node id, source output) of every linked input."""
    for name, value in node["inputs"].items():
        if is_link(value):
            yield name, value[0], value[1]


def title(node: Node) -> str:
    """The title shown on the canvas; the class where the file holds none."""
    text = node.get("_meta", {}).get("title")
    return text if isinstance(text, str) and text else node["class_type"]


def describe(graph: Graph, node_id: str) -> str:
    """A node in a sentence: `node 3 "My sampler" (KSampler)`."""
    node = graph[node_id]
    name = title(node)
    shown = f' "{shorten(name)}"' if name != node["class_type"] else ""
    return f"node {node_id}{shown} ({shorten(node['class_type'])})"


def upstream(graph: Graph, starts: Iterable[str]) -> set[str]:
    """The ids of `starts` and of every node they depend on; links to missing nodes are passed."""
    visited: set[str] = set()
    waiting = [node_id for node_id in starts if node_id in graph]
    while waiting:
        node_id = waiting.pop()
        if node_id not in visited:
            visited.add(node_id)
            waiting += [source for _, source, _ in links(graph[node_id]) if source in graph]
    return visited


def id_order(node_id: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key of node ids: numbers by value, also inside subgraph paths such as `57:8`."""
    return tuple(
        (0, int(number), "") if number.isdecimal() and len(number) < 20 else (1, 0, number)
        for number in node_id.split(":")
    )


def canonical(graph: Graph, exclude: Collection[Slot] = ()) -> str:
    """The one JSON text of a graph: keys sorted, no spaces, ASCII, no `_meta`, no `exclude`."""
    return "".join(piece for piece in pieces(graph, (), exclude) if isinstance(piece, str))


def pieces(
    graph: Graph, slots: Collection[Slot], exclude: Collection[Slot] = ()
) -> Iterator[str | Slot]:
    """The canonical JSON in parts; where a slot's value belongs, the slot itself stands."""
    between = "{"
    for node_id in sorted(graph):
        node = graph[node_id]
        yield f'{between}{encode(node_id)}:{{"class_type":{encode(node["class_type"])},"inputs":{{'
        yield from _input_pieces(node_id, node["inputs"], slots, exclude)
        yield "}}"
        between = ","
    yield "{}" if between == "{" else "}"


def _input_pieces(
    node_id: str, inputs: Mapping[str, Any], slots: Collection[Slot], exclude: Collection[Slot]
) -> Iterator[str | Slot]:
    names = set(inputs) | {slot.input for slot in slots if slot.node_id == node_id}
    between = ""
    for name in sorted(names):
        slot = Slot(node_id, name)
        if slot in exclude:
            continue
        yield f"{between}{encode(name)}:"
        yield slot if slot in slots else encode(inputs[name])
        between = ","


_dump = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def encode(value: Any) -> str:
    """Canonical JSON of one value (strings and integers by a short cut)."""
    if type(value) is str:
        return encode_basestring_ascii(value)
    if type(value) is int:
        return int.__repr__(value)
    try:
        return _dump(value)
    except (TypeError, ValueError, RecursionError):
        raise InputError(f"The value {shorten(repr(value))} cannot be written as JSON.") from None


def shorten(text: str, limit: int = 60) -> str:
    """`text` for a message: one line, printable, at most `limit` characters."""
    line = "".join(char if char.isprintable() else " " for char in text[: limit + 1]).strip()
    return line if len(text) <= limit else line[: limit - 3] + "..."


def _node_id(key: Any, where: str) -> str:
    if not isinstance(key, str) or not key or len(key) > 200:
        raise InputError(f"{where} has a node id that is empty or too long: {shorten(str(key))!r}.")
    return key


def _parse_node(node_id: str, data: Any, where: str) -> Node:
    at = f"{where}, node {shorten(node_id)}"
    if not isinstance(data, dict):
        raise InputError(f"{at} is not an object with class_type and inputs.")
    class_type, inputs, meta = data.get("class_type"), data.get("inputs", {}), data.get("_meta")
    if not isinstance(class_type, str) or not class_type:
        raise InputError(f"{at} has no class_type. Save the workflow with Export (API) again.")
    if not isinstance(inputs, dict):
        raise InputError(f"{at} ({shorten(class_type)}): inputs is not an object.")
    node = Node(class_type=class_type, inputs=_parse_inputs(inputs))
    if isinstance(meta, dict) and isinstance(meta.get("title"), str):
        node["_meta"] = {"title": meta["title"]}
    return node


def _parse_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs with link ids as text: some tools write `[4, 0]` for `["4", 0]`."""
    return {
        name: [str(value[0]), value[1]] if _is_numbered_link(value) else value
        for name, value in inputs.items()
    }


def _is_numbered_link(value: Any) -> bool:
    pair = isinstance(value, list) and len(value) == 2
    return pair and all(type(item) is int for item in value)


def language_at(node: Mapping[str, Any]) -> Language | None:
    """What the texts of a node are in; None where they are not known to be prompts."""
    if node["class_type"] == PROMPT_NODE:
        return WEBUI
    return PLAIN if node["class_type"].startswith(TEXT_ENCODE) else None


def find_language(graph: Graph) -> Language:
    """What the prompts of a workflow are in."""
    native = any(language_at(node) == WEBUI for node in graph.values())
    return WEBUI if native else PLAIN
