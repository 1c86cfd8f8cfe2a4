"""A recipe's key `webui`, with what its workflow says, bound to its jobs."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from ....core.counted import did_you_mean
from ....core.errors import InputError
from ...binding import Binding
from ...defaults import table_fields
from ...field_text import field_names
from ...job import PICTURES, TEXTS
from ...pairs.labelled_photos import Scenes
from ...recipe import Recipe
from ...subjects import Subjects
from . import KIND
from .from_graph import read_settings
from .requests import PREFIX, Requests
from .webui_settings import Lora, WebUISettings, check_value, complete, leaves

SUBJECT = "$subject"


def bind_requests(
    recipe: Recipe, graphs: Binding | None, subjects: Subjects, scenes: Scenes | None, where: str
) -> Requests:
    """The requests of a settled recipe; with `graphs`, its bound workflow `where`, what the recipe
    leaves out is read from there. `scenes`: its labelled photos.

    Raises InputError for what a WebUI cannot do or nothing says, naming the key or the node.
    """
    key = _find_settings(recipe)
    settings = complete(key, _read(key, graphs, where))
    settings = _with_subjects(settings, subjects)
    if settings.checkpoint is None:
        raise InputError("No checkpoint is set for WebUIs; write 'webui.checkpoint'.")
    if graphs is None:
        _check_alone(recipe)
    swept = _swept(recipe, settings)
    pictures = _pictures(settings, recipe)
    if graphs is None and scenes is not None:
        scenes = replace(scenes, size=_size(scenes, settings))
    nets = frozenset(unit.model for unit in settings.controlnet or ())
    photos = scenes and replace(
        scenes,
        picture_fields=scenes.picture_fields | pictures,
        controlnets=scenes.controlnets | nets,
    )
    batch = graphs.batch_size if graphs else recipe.batch_size or 1
    return Requests(settings, batch, key is not None, swept, photos, graphs.words if graphs else {})


def _find_settings(recipe: Recipe) -> WebUISettings | None:
    """What the recipe says of WebUIs."""
    settings = recipe.target_settings.get(KIND.name)
    return settings if isinstance(settings, WebUISettings) else None


def _read(webui: WebUISettings | None, graphs: Binding | None, where: str) -> dict[str, Any]:
    if graphs is None:
        return {}
    save_node, *second = graphs.save_nodes
    if second:
        raise InputError(
            f"'save' names {len(graphs.save_nodes)} nodes of {where}, but a WebUI returns "
            "images of only one. Name one of them, or use only ComfyUI servers."
        )
    at = {**graphs.sweeps, **graphs.pictures, **graphs.texts}
    recipe_keys = webui.model_fields_set if webui else ()
    return read_settings(graphs.ids.base, save_node, graphs.fields, at, where, recipe_keys)


def _with_subjects(settings: WebUISettings, subjects: Subjects) -> WebUISettings:
    """The class's subject where settings do not call it themselves."""
    method = next((entry.file.method for entry in subjects.values()), None)
    called = settings.loras or []
    if method == "dreambooth":
        return settings.model_copy(update={"checkpoint": SUBJECT})
    if method != "lora" or any(entry.name == SUBJECT for entry in called):
        return settings
    subject_lora = Lora(name=SUBJECT, weight=settings.subject_weight)
    return settings.model_copy(update={"loras": [*called, subject_lora]})


def _check_alone(recipe: Recipe) -> None:
    """Without a workflow nothing has a node's address."""
    if recipe.save is not None:
        raise InputError(
            "'save' names a node, but the recipe has no workflow. Remove it, or name a workflow."
        )
    for key, addresses in (("bind", recipe.bind), ("sweep", recipe.sweep)):
        other = next((a for a in addresses if key == "bind" or not a.startswith(PREFIX)), None)
        if other:
            raise InputError(
                f"{key!r} names {other!r}, but the recipe has no workflow. Set it under 'webui'"
                + (f", or sweep '{PREFIX}steps' and the like." if key == "sweep" else ".")
            )


def _swept(recipe: Recipe, settings: WebUISettings) -> frozenset[str]:
    keys = [address.removeprefix(PREFIX) for address in recipe.sweep if address.startswith(PREFIX)]
    for key in keys:
        for value in recipe.sweep[PREFIX + key]:
            check_value(settings, key, value)
    return frozenset(keys)


def _pictures(settings: WebUISettings, recipe: Recipe) -> frozenset[str]:
    """The pictures of `pairs` that the settings take. Raises InputError for unknown references."""
    values = [value for value in leaves(settings).values() if isinstance(value, str)]
    for value in (value for value in values if value.startswith("@")):
        _check_address(value, [*recipe.sweep, *recipe.bind])
    texts = [*values, *(settings.fields | settings.options).values()]
    names = {
        name for value in texts for name in field_names(value, "'webui'", table_fields(recipe))
    }
    for name in sorted(names):
        if name in (*PICTURES, *TEXTS) and recipe.pairs is None:
            raise InputError(f"'webui' takes ${name}, but the recipe names no 'pairs'.")
    return frozenset(names & set(PICTURES))


def _check_address(value: str, addresses: Collection[str]) -> None:
    if value[1:] not in addresses:
        raise InputError(
            f"'webui': {value!r} names no address of 'bind' or 'sweep'."
            + did_you_mean(value[1:], addresses)
        )


def _size(scenes: Scenes, settings: WebUISettings) -> tuple[int, int] | None:
    """Height and width of the pictures that are drawn for WebUIs alone."""
    if scenes.settings.size is not None:
        return (scenes.settings.size[1], scenes.settings.size[0])
    if isinstance(settings.height, int) and isinstance(settings.width, int):
        return (settings.height, settings.width)
    return None
