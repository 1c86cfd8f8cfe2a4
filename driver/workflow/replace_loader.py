"""Load Labelled becomes stock nodes: the job's photo and mask are uploaded, and whatever else it
says is known before. So a server needs no folder of photos."""

from ...core.errors import InputError
from .graph import Graph, Node, Slot, describe, id_order, links

LOAD_LABELLED = "ManyshotLoadLabelled"
IMAGE, MASK = 0, 1
FIELDS = {2: "mask_classes", 3: "class_name", 4: "file_name"}  # output -> job field


def replace_loader(graph: Graph, where: str, pairs: bool) -> tuple[Graph, dict[Slot, str]]:
    """`graph` with LoadImage and LoadImageMask in place of its Load Labelled, and the job field of
    each slot that it fed. An input that was linked to one of its texts holds None.

    Raises InputError for several such nodes, a link to an output that it does not have, and where
    the recipe names no `pairs`.
    """
    loaders = sorted((i for i in graph if graph[i]["class_type"] == LOAD_LABELLED), key=id_order)
    if not loaders:
        return graph, {}
    if len(loaders) > 1:
        shown = " and ".join(describe(graph, node_id) for node_id in loaders[:3])
        raise InputError(f"{where} has {len(loaders)} {LOAD_LABELLED} nodes, {shown}. Keep one.")
    if not pairs:
        raise InputError(
            f"{where}: {describe(graph, loaders[0])} loads labelled photos, but the recipe "
            f"does not say which. Add 'pairs: {{folder: …}}' to the recipe."
        )
    return _replace(graph, loaders[0], where)


def _replace(graph: Graph, loader: str, where: str) -> tuple[Graph, dict[Slot, str]]:
    masks = _free_id(graph, f"{loader}:labels")
    fields = {Slot(loader, "image"): "image", Slot(masks, "image"): "labels"}
    changed: Graph = {node_id: node for node_id, node in graph.items() if node_id != loader}
    changed[loader] = Node(class_type="LoadImage", inputs={"image": None})
    changed[masks] = Node(class_type="LoadImageMask", inputs={"image": None, "channel": "red"})
    for node_id, node in graph.items():
        inputs = dict(node["inputs"])
        for name, source, output in links(node):
            if source != loader:
                continue
            if output == MASK:
                inputs[name] = [masks, 0]
            elif output in FIELDS:
                inputs[name] = None
                fields[Slot(node_id, name)] = FIELDS[output]
            elif output != IMAGE:
                raise InputError(
                    f"{where}: {name!r} of {describe(graph, node_id)} is linked to output {output} "
                    f"of {describe(graph, loader)}, which has outputs 0 to {max(FIELDS)}."
                )
        if inputs != node["inputs"]:
            changed[node_id] = {**node, "inputs": inputs}
    return changed, fields


def _free_id(graph: Graph, node_id: str) -> str:
    return node_id if node_id not in graph else _free_id(graph, f"{node_id}_")
