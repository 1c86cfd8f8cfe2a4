"""Whether a workflow takes the labelled photos of its recipe, and in which size."""

from collections.abc import Collection
from dataclasses import replace

from ...core.errors import InputError
from ...core.masks.geometry import Size
from ..workflow.graph import Graph, Slot, describe
from .scenes import PICTURES, TEXTS, Scenes

COMPOSE = "ManyshotComposeMasks"
VARY = "ManyshotVaryMask"  # has a size of its own
EMPTY_LATENTS = ("EmptyLatentImage", "EmptySD3LatentImage")


def scenes_for(
    scenes: Scenes | None,
    graph: Graph,
    fields: Collection[str],
    taken: frozenset[Slot],
    where: str,
) -> Scenes | None:
    """The scenes in the size of a bound workflow, with the pictures among its `fields`.

    `taken`: all slots that hold another value for each job. Raises InputError, naming `where`,
    for pictures without photos and for photos that nothing takes.
    """
    asked = [name for name in fields if name in (*PICTURES, *TEXTS)]
    if scenes is None:
        if asked:
            raise InputError(f"{where} takes ${asked[0]}, but the recipe names no 'pairs'.")
        return None
    for node_id in graph:
        if graph[node_id]["class_type"] == COMPOSE:
            raise InputError(
                f"{where}: {describe(graph, node_id)} lays several photos over each other, and a "
                "job has one. Take it out and write 'pairs.compose' in the recipe: the driver then "
                "composes them itself."
            )
    pictures = frozenset(asked) & set(PICTURES)
    if not pictures:
        raise InputError(
            f"Nothing in {where} takes a picture of 'pairs'. Bind one: "
            "'Load Image.image': $control (or $image, $mask)."
        )
    moved = any(node["class_type"] == VARY for node in graph.values())
    size = scenes.settings.size
    if size is not None:
        found: Size | None = (size[1], size[0])
    else:
        found = None if moved else _latent_size(graph, taken)
    return replace(scenes, taken=pictures, size=found, moved=moved, controlnets=_controlnets(graph))


def _controlnets(graph: Graph) -> frozenset[str]:
    names = (node["inputs"].get("control_net_name") for node in graph.values())
    return frozenset(name for name in names if isinstance(name, str))


def _latent_size(graph: Graph, taken: frozenset[Slot]) -> Size | None:
    """Height and width of the one empty latent that says them; None without one."""
    found = [
        (node["inputs"].get("height"), node["inputs"].get("width"))
        for node_id, node in graph.items()
        if node["class_type"] in EMPTY_LATENTS
        and taken.isdisjoint([Slot(node_id, "height"), Slot(node_id, "width")])
    ]
    if len(found) != 1:
        return None
    height, width = found[0]
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None
