"""Which nodes deliver a graph's images, and by which transport the driver receives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.errors import InputError
from .catalogue import Catalogue, split_types
from .dynamic_inputs import expand_class
from .graph import Graph, Node, Slot, describe, id_order, is_link, upstream
from .node_addresses import find_nodes, resolve_node
from .own_nodes import (
    SAVE_LABELLED,
    SAVE_LABELLED_DELIVERY,
    SAVE_LABELLED_FIELDS,
    SAVE_LABELLED_FOLDER,
    SAVE_LABELLED_SOURCE,
)

Transport = Literal["websocket", "view"]

SAVE, PREVIEW, WEBSOCKET = "SaveImage", "PreviewImage", "SaveImageWebsocket"
PREFIX = "filename_prefix"
STORED = {"websocket": "websocket", "view": "folder"}  # values of ManyshotSaveLabelled's delivery


@dataclass(frozen=True)
class Delivery:
    """A graph cut down to what its delivering nodes need, rewritten for a transport."""

    graph: Graph
    prefixes: tuple[Slot, ...] = ()
    """The slots that must get a name unique per job and attempt; none where nothing is saved by
    such a name. A cached SaveImage answers with the file name of its first run, and that name may
    hold another job's image by then."""


def delivering_nodes(
    graph: Graph,
    catalogue: Catalogue | None,
    save: str | Sequence[str] | None,
    where: str = "the workflow",
) -> tuple[str, ...]:
    """The ids of the nodes whose images are the job's, in the order of a list of addresses, or the
    one of `delivering_node`.

    Raises InputError as that does, for a node that is named twice, and for one that gets its images
    through another: what delivers passes nothing on.
    """
    if save is None or isinstance(save, str):
        return (delivering_node(graph, catalogue, save, where),)
    ids = tuple(delivering_node(graph, catalogue, address, where) for address in save)
    for place, node_id in enumerate(ids):
        if node_id in ids[:place]:
            raise InputError(
                f"{where}: 'save' names {describe(graph, node_id)} twice, as "
                f"{save[ids.index(node_id)]!r} and as {save[place]!r}. Remove one of them."
            )
        before = next((i for i in ids if i != node_id and i in upstream(graph, [node_id])), None)
        if before is not None:
            raise InputError(
                f"{where}: {describe(graph, node_id)} gets its images through "
                f"{describe(graph, before)}, but 'save' names both. Name one of them, or "
                "link both to the node that makes the images."
            )
    return ids


def delivering_node(
    graph: Graph, catalogue: Catalogue | None, output: str | None, where: str = "the workflow"
) -> str:
    """The id of the node whose images are the job's.

    `output` names it by an address without input. Otherwise it is the only saving node; previews
    count where nothing saves. Raises InputError for none, or for several.
    """
    candidates = sorted((i for i in graph if delivers(graph[i], catalogue)), key=id_order)
    if output is not None:
        return _resolve_output(graph, candidates, output, where)
    saving = [i for i in candidates if graph[i]["class_type"] != PREVIEW] or candidates
    if len(saving) == 1:
        return saving[0]
    if not saving:
        raise InputError(f"{where} saves no images. {_hint(graph, catalogue)}")
    shown = "; ".join(f"@{node_id} is {describe(graph, node_id)}" for node_id in saving[:6])
    raise InputError(
        f"{where} has {len(saving)} nodes that save images: {shown}. Name the one to collect "
        f"in the recipe, such as save: '@{saving[0]}'; or a list, to keep an image of each "
        f"for every job: save: {[f'@{i}' for i in saving[:6]]}."
    )


def delivers(node: Node, catalogue: Catalogue | None) -> bool:
    """Whether a node hands images out of the graph: the known ones, and any output node with an
    IMAGE input and a filename_prefix."""
    if node["class_type"] in (SAVE, PREVIEW, WEBSOCKET, SAVE_LABELLED):
        return True
    spec = catalogue.get(node["class_type"]) if catalogue else None
    return bool(spec and spec.is_output and PREFIX in spec.inputs and _image_input(node, catalogue))


def deliver(
    graph: Graph,
    node_ids: Sequence[str],
    transport: Transport,
    catalogue: Catalogue | None = None,
) -> Delivery:
    """Keep what the nodes need, of which none needs another, and let them deliver by `transport`.

    websocket: images come over the socket and nothing is written on the server.
    view: the server writes files under a prefix of ours, fetched with `/view`.
    Job ids should come from the graph before this rewrite, so that they do not depend on it.
    """
    needed = upstream(graph, node_ids)
    subgraph = {key: graph[key] for key in graph if key in needed}
    labelled = [node_id for node_id in node_ids if subgraph[node_id]["class_type"] == SAVE_LABELLED]
    if transport == "view" and len(labelled) > 1:
        raise InputError(
            f"{' and '.join(describe(graph, node_id) for node_id in labelled)} would store "
            "their images "
            "under the same names. Write 'transport: websocket' in the recipe."
        )
    for node_id in node_ids:
        subgraph[node_id] = _delivering(subgraph[node_id], transport, catalogue)
    named = transport == "view"
    return Delivery(
        subgraph, tuple(Slot(i, PREFIX) for i in node_ids if named and i not in labelled)
    )


def _delivering(node: Node, transport: Transport, catalogue: Catalogue | None) -> Node:
    """`node`, or a stock one in its place, as it delivers by `transport`."""
    if node["class_type"] == SAVE_LABELLED:
        delivery = {SAVE_LABELLED_DELIVERY: STORED[transport]}
        return {**node, "inputs": {**node["inputs"], **delivery}}
    keeps_class = transport == "view" and PREFIX in node["inputs"]
    return node if keeps_class else _replace(node, transport, catalogue)


def not_in_id(graph: Graph) -> frozenset[Slot]:
    """Slots that say where a file goes or comes from, never what is in it: not in job ids."""
    names = ("name", SAVE_LABELLED_DELIVERY, SAVE_LABELLED_FOLDER, SAVE_LABELLED_SOURCE)
    return frozenset(
        Slot(node_id, name)
        for node_id, node in graph.items()
        for name in (names if node["class_type"] == SAVE_LABELLED else (PREFIX,))
        if name in node["inputs"] or node["class_type"] == SAVE_LABELLED
    )


def fact_slots(graph: Graph) -> frozenset[Slot]:
    """Slots of Save Labelled that take what its records say: they change no pixel."""
    return frozenset(
        Slot(node_id, name)
        for node_id, node in graph.items()
        if node["class_type"] == SAVE_LABELLED
        for name in SAVE_LABELLED_FIELDS
    )


def _hint(graph: Graph, catalogue: Catalogue | None) -> str:
    """What to do about a workflow without a saving node: a class the server lacks may be one."""
    for node_id in sorted(graph, key=id_order) if catalogue else ():
        class_type = graph[node_id]["class_type"]
        if catalogue and catalogue.get(class_type) is None:
            near = catalogue.nearest(class_type)
            nearest = f" The nearest it has is {near}." if near else ""
            return f"The server has no node class for {describe(graph, node_id)}.{nearest}"
    return "Add a Save Image node for the result."


def _replace(node: Node, transport: Transport, catalogue: Catalogue | None) -> Node:
    """A stock node for `transport` in the place of `node`, fed by the same images."""
    image = _image_input(node, catalogue)
    inputs = {"images": node["inputs"][image]} if image else {}
    if transport == "view":
        inputs[PREFIX] = "manyshot"
    replaced: Node = {**node, "class_type": WEBSOCKET if transport == "websocket" else SAVE}
    replaced["inputs"] = inputs
    return replaced


def _image_input(node: Node, catalogue: Catalogue | None) -> str | None:
    """The name of the linked input that gets the images."""
    linked = [name for name, value in node["inputs"].items() if is_link(value)]
    spec = expand_class(catalogue, node)
    if spec is None:
        return next((name for name in ("images", "image") if name in linked), None)
    typed = (n for n in linked if n in spec.inputs and "IMAGE" in split_types(spec.inputs[n].type))
    return next(typed, None)


def _resolve_output(graph: Graph, candidates: list[str], output: str, where: str) -> str:
    several = [address.strip() for address in output.split(",")]
    if len(several) > 1 and all(find_nodes(graph, address) for address in several):
        raise InputError(
            f"{where}: 'save: {output}' is one name. Write several nodes as a list: "
            f"save: {several}."
        )
    node_id = resolve_node(graph, output)
    if node_id in candidates:
        return node_id
    shown = "; ".join(f"@{i} is {describe(graph, i)}" for i in candidates[:6]) or "none"
    raise InputError(
        f"{where}: {describe(graph, node_id)}, named under 'save', saves no images. Nodes "
        f"that do: {shown}."
    )
