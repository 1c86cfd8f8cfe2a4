"""Whether a workflow takes the labelled photos of its recipe, and in which size."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from ...core.errors import InputError
from ...core.masks.geometry import Size
from ..job import PICTURES, TEXTS
from ..workflow.graph import Graph, Slot, describe

if TYPE_CHECKING:  # types alone
    from .labelled_photos import Scenes

COMPOSE = "ManyshotComposeMasks"
VARY = "ManyshotVaryMask"  # has a size of its own
EMPTY_LATENTS = ("EmptyLatentImage", "EmptySD3LatentImage")


def scenes_for(
    scenes: "Scenes | None",
    graph: Graph,
    fields: Collection[str],
    bound_slots: frozenset[Slot],
    where: str,
) -> "Scenes | None":
    """The scenes in the size of a bound workflow, with the pictures among its `fields`.

    `bound_slots`: all that hold another value for each job. Raises InputError, naming `where`,
    for pictures without photos and for photos that nothing takes.
    """
    scene_fields = [name for name in fields if name in (*PICTURES, *TEXTS)]
    if scenes is None:
        if scene_fields:
            raise InputError(f"{where} takes ${scene_fields[0]}, but the recipe names no 'pairs'.")
        return None
    for node_id in graph:
        if graph[node_id]["class_type"] == COMPOSE:
            raise InputError(
                f"{where}: {describe(graph, node_id)} composes several photos, but a job has "
                "one. Remove it and set 'pairs.compose' in the recipe: the driver then "
                "composes them itself."
            )
    pictures = frozenset(scene_fields) & set(PICTURES)
    if not pictures:
        raise InputError(
            f"Nothing in {where} takes a picture of 'pairs'. Bind one: "
            "'Load Image.image': $control (or $image, $mask)."
        )
    moved = any(node["class_type"] == VARY for node in graph.values())
    size = scenes.settings.size
    if size is not None:
        canvas: Size | None = (size[1], size[0])
    else:
        canvas = None if moved else _latent_size(graph, bound_slots)
    return replace(
        scenes, picture_fields=pictures, size=canvas, moved=moved, controlnets=_controlnets(graph)
    )


def _controlnets(graph: Graph) -> frozenset[str]:
    names = (node["inputs"].get("control_net_name") for node in graph.values())
    return frozenset(name for name in names if isinstance(name, str))


def _latent_size(graph: Graph, bound_slots: frozenset[Slot]) -> Size | None:
    """Height and width of the one empty latent that says them; None without one."""
    sizes = [
        (node["inputs"].get("height"), node["inputs"].get("width"))
        for node_id, node in graph.items()
        if node["class_type"] in EMPTY_LATENTS
        and bound_slots.isdisjoint([Slot(node_id, "height"), Slot(node_id, "width")])
    ]
    if len(sizes) != 1:
        return None
    height, width = sizes[0]
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None
