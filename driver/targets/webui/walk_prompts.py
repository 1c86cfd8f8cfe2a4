"""The prompts and the ControlNet units between them and a sampler, read backwards."""

from typing import Any, NamedTuple

from ....core.webui_prompt import Language
from .payload import webui_text
from .walk import Walk
from .walk_models import network_name

CONTROLNETS = ("ControlNetApplyAdvanced", "ManyshotControlNet")
SIDES = ("positive", "negative")
ENCODERS = ("CLIPTextEncode", "ManyshotWebUIPrompt")


class Side(NamedTuple):
    """One side of the guidance: the node that encodes its words, and the ControlNets that act."""

    encoder: str
    controls: tuple[str, ...]


def read_prompts(walk: Walk, positive: Side, negative: Side) -> dict[str, Any]:
    """Settings that follow from the prompts' nodes: their language, and a negative that is fixed.

    Raises InputError where the job's prompt is not taken as it is.
    """
    text = walk.value(positive.encoder, "text", "")
    if text != "$prompt":
        walk.stop(
            positive.encoder,
            "does not take exactly the job's prompt, which is all that a WebUI gets. Bind "
            "its text to $prompt.",
        )
    native = "ManyshotWebUIPrompt" in (walk.kind(positive.encoder), walk.kind(negative.encoder))
    language: Language = "webui" if native else "comfyui"
    settings: dict[str, Any] = {"language": language}
    words = walk.value(negative.encoder, "text", "")
    if words == "$negative":
        return settings
    if not isinstance(words, str) or words[:1] in ("$", "@"):
        walk.stop(
            negative.encoder,
            "does not take the job's negative, which is what a WebUI gets. Bind its text to "
            "$negative.",
        )
    negative_prompt = webui_text(words, language).replace(
        "$", "$$"
    )  # the graph's own text has no fields
    return {**settings, "fields": {"negative_prompt": negative_prompt}}


def read_side(walk: Walk, sampler: str, side: str) -> Side:
    """What a sampler's `positive` or `negative` comes from. Raises InputError for combined ones."""
    controls: list[str] = []
    output = walk.source(sampler, side)
    while (kind := walk.kind(output.node_id)) in (*CONTROLNETS, "ControlNetApply"):
        controls.insert(0, output.node_id)
        name = "conditioning" if kind == "ControlNetApply" else SIDES[output.number]
        output = walk.source(output.node_id, name)
    if kind not in ENCODERS or output.number != 0:
        walk.refuse(output.node_id, f"makes the {side} conditioning")
    return Side(output.node_id, tuple(controls))


def read_units(walk: Walk, positive: Side, negative: Side) -> dict[str, Any]:
    """`controlnet`, the first applied first. Raises InputError for what a unit cannot say."""
    for node_id in (*positive.controls, *negative.controls):
        if not _on_both(walk, node_id, positive, negative):
            walk.stop(
                node_id,
                "acts on only one of the two prompts, but a WebUI's ControlNet acts on both.",
                "controlnet",
            )
    return {"controlnet": [_unit(walk, node_id) for node_id in positive.controls]}


def _on_both(walk: Walk, node_id: str, positive: Side, negative: Side) -> bool:
    """The plain ControlNetApply steers the other side by itself."""
    inputs = walk.graph[node_id]["inputs"]
    if walk.kind(node_id) == "ControlNetApply":
        return node_id in positive.controls
    if inputs.get("acts_on", "both") != "both":
        return False
    return node_id in positive.controls and node_id in negative.controls


def _unit(walk: Walk, node_id: str) -> dict[str, Any]:
    plain = walk.kind(node_id) == "ControlNetApply"
    return {
        "model": _model(walk, node_id),
        "image": walk.picture(walk.source(node_id, "image").node_id, "controlnet"),
        "weight": walk.value(node_id, "strength", "controlnet"),
        "guidance_start": 0.0 if plain else walk.value(node_id, "start_percent", "controlnet"),
        "guidance_end": 1.0 if plain else walk.value(node_id, "end_percent", "controlnet"),
    }


def _model(walk: Walk, node_id: str) -> Any:
    """As the WebUI lists it, but for the hash behind it."""
    if walk.kind(node_id) == "ManyshotControlNet":
        return network_name(walk.value(node_id, "control_net_name", "controlnet"))
    loader = walk.source(node_id, "control_net").node_id
    if walk.kind(loader) != "ControlNetLoader":
        walk.refuse(loader, "loads or changes a ControlNet", "controlnet")
    return network_name(walk.value(loader, "control_net_name", "controlnet"))
