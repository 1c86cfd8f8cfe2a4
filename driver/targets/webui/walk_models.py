"""Checkpoint, VAE, LoRAs and CLIP's last layer, read back from a sampler and its text encoders."""

from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ...workflow.graph import Slot
from .walk import Output, Walk

CHECKPOINT = "CheckpointLoaderSimple"
MODEL, CLIP, VAE = range(3)  # outputs of CheckpointLoaderSimple, and of ManyshotSubject
PASSING = {
    "LoraLoader": {0: "model", 1: "clip"},
    "LoraLoaderModelOnly": {0: "model"},
    "CLIPSetLastLayer": {0: "clip"},
    "ManyshotSubject": {MODEL: "model", CLIP: "clip", VAE: "vae"},
    "ManyshotWebUIPrompt": {1: "model", 2: "clip"},
}
"""Class -> output -> the input that it comes from."""


def file_name(value: Any) -> Any:
    """A model's file without its folder; references stay as they are."""
    if not isinstance(value, str) or value[:1] in ("$", "@"):
        return value
    return PurePosixPath(value.replace("\\", "/")).name


def network_name(value: Any) -> Any:
    """A LoRA's or ControlNet's name: without folder and ending; references stay as they are."""
    name = file_name(value)
    reference = not isinstance(name, str) or name[:1] in ("$", "@")
    return name if reference else PurePosixPath(name).stem


class Chains(NamedTuple):
    """The nodes that the sampler's model and its text encoder come through, from the file on."""

    model: list[Output]
    clip: list[Output]


def read_chains(walk: Walk, sampler: str, encoders: tuple[str, str]) -> Chains:
    """Raises InputError where text encoders and sampler are of different models, and for nodes
    that change a model as no WebUI does."""
    model = _chain(walk, walk.source(sampler, "model"))
    clip, negative = [_chain(walk, walk.source(encoder, "clip")) for encoder in encoders]
    if _effects(walk, clip) != _effects(walk, negative):
        walk.stop(encoders[1], "has a different text encoder than the positive prompt.")
    if model[0].node_id != clip[0].node_id:
        walk.stop(encoders[0], "has the text encoder of a different model than the sampler's.")
    return Chains(model, clip)


def read_checkpoint(walk: Walk, chains: Chains) -> dict[str, Any]:
    """`checkpoint`; nothing where a subject of DreamBooth is the model."""
    loader = chains.model[0].node_id
    if walk.kind(loader) != CHECKPOINT:
        return {}
    return {"checkpoint": file_name(walk.value(loader, "ckpt_name", "checkpoint"))}


def read_vae(walk: Walk, output: Output, chains: Chains) -> dict[str, Any]:
    """`vae`: a file, or the checkpoint's own. Raises InputError for that of another checkpoint."""
    first = _chain(walk, output)[0]
    if walk.kind(first.node_id) == "VAELoader":
        return {"vae": file_name(walk.value(first.node_id, "vae_name", "vae"))}
    if first.node_id != chains.model[0].node_id:
        walk.refuse(first.node_id, "outputs the VAE of another checkpoint", "vae")
    return {"vae": "None"}  # the WebUI's word for the checkpoint's own


def read_clip_skip(walk: Walk, chains: Chains) -> dict[str, Any]:
    """`clip_skip`; ComfyUI counts layers from behind, from -1 on."""
    layers = [node_id for node_id, _ in chains.clip if walk.kind(node_id) == "CLIPSetLastLayer"]
    if not layers:
        return {"clip_skip": 1}
    value = walk.value(layers[-1], "stop_at_clip_layer", "clip_skip")
    if not isinstance(value, int):
        walk.stop(layers[-1], "counts down from -1, and a WebUI up from 1.", "clip_skip")
    return {"clip_skip": -value}


def read_loras(walk: Walk, chains: Chains) -> dict[str, Any]:
    """`loras` from the checkpoint outwards; `subject_weight` for that of the class's subject."""
    loras: list[dict[str, Any]] = []
    subject: dict[str, Any] = {}
    for node_id in dict.fromkeys(node_id for chain in chains for node_id, _ in chain):
        if walk.kind(node_id) == "ManyshotSubject":
            subject = {"subject_weight": _subject_weight(walk, node_id)}
        elif walk.kind(node_id).startswith("LoraLoader"):
            name = network_name(walk.value(node_id, "lora_name", "loras"))
            loras.append({"name": name, "weight": _weight(walk, node_id, chains)})
    return {"loras": loras, **subject}


def _chain(walk: Walk, output: Output) -> list[Output]:
    chain = [output]
    while (kind := walk.kind(chain[0].node_id)) in PASSING:
        node_id, index = chain[0]
        name = PASSING[kind].get(index)
        if name is None:
            walk.refuse(node_id, f"outputs no model at {index}")
        if kind == "ManyshotSubject" and name not in walk.graph[node_id]["inputs"]:
            return chain  # DreamBooth's file is a model itself
        chain.insert(0, walk.source(node_id, name))
    if kind not in (CHECKPOINT, "VAELoader"):
        walk.refuse(chain[0].node_id, "loads or changes a model")
    return chain


def _effects(walk: Walk, chain: list[Output]) -> list[Output]:
    """The nodes that change a text encoder."""
    return [output for output in chain if walk.kind(output.node_id) != "ManyshotWebUIPrompt"]


def _weight(walk: Walk, node_id: str, chains: Chains) -> Any:
    """Raises InputError for a LoRA whose strengths for UNet and text encoder differ."""
    strengths = [
        walk.value(node_id, name, "loras") if node_id in [i for i, _ in chain] else 0
        for name, chain in (("strength_model", chains.model), ("strength_clip", chains.clip))
    ]
    if strengths[0] != strengths[1]:
        walk.stop(
            node_id,
            f"has the strengths {strengths[0]} for the model and {strengths[1]} for the text "
            "encoder, but a recipe's LoRA has one for both.",
            "loras",
        )
    return strengths[0]


def _subject_weight(walk: Walk, node_id: str) -> Any:
    if not walk.reference(Slot(node_id, "subject")):
        walk.stop(node_id, "names a file on one server. Set 'subjects' in the recipe.")
    return walk.value(node_id, "strength", "subject_weight")
