"""A workflow of ComfyUI as settings of a WebUI, where it says the same plainly.

Only what both programs do alike is read: one checkpoint with LoRAs, one sampler (or a second over
enlarged latents, as hires fix), the job's prompts, and pictures that the job brings. Whatever else
is on the way from models, words and pictures to the saved image is refused, with the node's name.

The first image of a job is then the same in both, to rounding, but for this: samplers of
samplers.py that draw noise otherwise; attention weights, which the WebUI scales back to the mean
they had; inpainting, where the WebUI rounds masks to whole latents and pastes the photo's own
pixels back; and `guidance_start` and `_end`, shares of the steps in sd-webui-controlnet and of the
noise's time in ComfyUI: of 20 steps, an end at 0.5 is after 11 there, and here after 10 of `normal`
and 9 of `karras`. Further images of a batch have another noise.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ....core.errors import InputError
from ...workflow.graph import Graph, Slot, is_link
from ...workflow.own_nodes import SAVE_LABELLED
from .samplers import webui_sampler, webui_scheduler
from .walk import Walk
from .walk_latents import first_pass, mask_picture, read_hires, read_start
from .walk_models import read_chains, read_checkpoint, read_clip_skip, read_loras, read_vae
from .walk_prompts import read_prompts, read_side, read_units

PASTE = "ImageCompositeMasked"
BEGIN = ("init_image", "mask")
MERGED = ("options", "fields")  # of which the recipe may say some, and the workflow others


def read_settings(
    graph: Graph,
    save_node: str,
    fields: Mapping[Slot, str],
    addresses: Mapping[Slot, str],
    where: str,
    recipe_keys: Collection[str] = (),
) -> dict[str, Any]:
    """The settings of `WebUI` that a bound graph says, up to the node that saves.

    `fields` and `addresses` (of the sweep and of pictures) are a Binding's: their slots become
    `$field` or `@address`. `recipe_keys` are settings of the recipe itself: these are not read,
    nor refused. Raises InputError naming `where`, the node, why a WebUI cannot do it, and what to
    do.
    """
    walk = Walk(graph, fields, addresses, where)
    walk.check_no_circle(save_node)
    decoder, paste = _decoder(walk, save_node)
    last = walk.source(decoder, "samples").node_id
    if walk.kind(last) != "KSampler":
        walk.refuse(last, "makes the latent image that is decoded")
    first = first_pass(walk, last)
    sides = read_side(walk, first, "positive"), read_side(walk, first, "negative")
    chains = read_chains(walk, first, (sides[0].encoder, sides[1].encoder))
    _check_seed(walk, first)
    start = read_start(walk, first, recipe_keys)
    if paste and not set(BEGIN) & set(recipe_keys):
        _check_paste(walk, paste, start)
    settings = read_prompts(walk, *sides) | start | _options(walk, first, start)
    readers: dict[str, Callable[[], dict[str, Any]]] = {
        "checkpoint": lambda: read_checkpoint(walk, chains),
        "vae": lambda: read_vae(walk, walk.source(decoder, "vae"), chains),
        "clip_skip": lambda: read_clip_skip(walk, chains),
        "loras": lambda: read_loras(walk, chains),
        "sampler": lambda: _sampler(walk, first),
        "scheduler": lambda: _scheduler(walk, first),
        "steps": lambda: {"steps": walk.value(first, "steps", "steps")},
        "cfg_scale": lambda: {"cfg_scale": walk.value(first, "cfg", "cfg_scale")},
        "hires": lambda: read_hires(walk, last, first),
        "controlnet": lambda: read_units(walk, *sides),
    }
    for name, read in readers.items():
        settings |= {} if name in recipe_keys else read()
    return {
        name: value for name, value in settings.items() if name not in recipe_keys or name in MERGED
    }


def _decoder(walk: Walk, save_node: str) -> tuple[str, str | None]:
    """The VAEDecode whose images are saved, and the node that pastes them onto the photo, if any.

    Raises InputError for what else stands in between.
    """
    inputs = walk.graph[save_node]["inputs"]
    if walk.kind(save_node) == SAVE_LABELLED and is_link(inputs.get("mask")):
        mask_picture(walk, walk.source(save_node, "mask"))  # the driver has it, and keeps it
    linked = next((name for name in ("images", "image") if is_link(inputs.get(name))), "images")
    decoder, paste = walk.source(save_node, linked).node_id, None
    if walk.kind(decoder) == PASTE:
        paste, decoder = decoder, walk.source(decoder, "source").node_id
    if walk.kind(decoder) != "VAEDecode":
        walk.refuse(decoder, "makes the image that is saved")
    return decoder, paste


def _check_paste(walk: Walk, paste: str, start: Mapping[str, Any]) -> None:
    """A WebUI pastes the photo's own pixels around the mask by itself, and nothing else."""
    photo = walk.picture(walk.source(paste, "destination").node_id, "")
    mask = mask_picture(walk, walk.source(paste, "mask"))
    places = [walk.value(paste, name, "") for name in ("x", "y", "resize_source")]
    begun = [start.get(name) for name in BEGIN]
    if begun != [photo, mask] or any(places):
        walk.refuse(paste, "puts images together")


def _options(walk: Walk, sampler: str, start: Mapping[str, Any]) -> dict[str, Any]:
    """The noise of the highest level a little larger, as ComfyUI has it where sampling begins
    there; and of image to image as many steps as are said, whatever the denoising strength."""
    highest = walk.value(sampler, "scheduler", "scheduler") != "ddim_uniform"
    steps = {"img2img_fix_steps": True} if "denoising_strength" in start else {}
    return {"options": {"sgm_noise_multiplier": highest, **steps}}


def _sampler(walk: Walk, node_id: str) -> dict[str, Any]:
    return {"sampler": _translate(walk, node_id, "sampler_name", webui_sampler)}


def _scheduler(walk: Walk, node_id: str) -> dict[str, Any]:
    sampler = str(walk.value(node_id, "sampler_name", "sampler"))
    return {
        "scheduler": _translate(
            walk, node_id, "scheduler", lambda name: webui_scheduler(name, sampler)
        )
    }


def _translate(walk: Walk, node_id: str, name: str, translate: Callable[[str], str]) -> str:
    """A name of ComfyUI's as the WebUI's. Raises InputError for one that jobs differ in."""
    key = name.removesuffix("_name")
    value = walk.value(node_id, name, key)
    if not isinstance(value, str) or value[:1] in ("$", "@"):
        sentence = f"takes another {name!r} for each job, by ComfyUI's names."
        walk.stop(node_id, sentence, key, f"Sweep 'webui.{key}' in a recipe for WebUIs alone.")
    try:
        return translate(value)
    except InputError as error:
        walk.stop(node_id, f"samples in a way that no WebUI does. {error}", key)


def _check_seed(walk: Walk, sampler: str) -> None:
    if walk.value(sampler, "seed", "") != "$seed":
        walk.stop(
            sampler, "does not take the job's seed, but a WebUI always does. Bind it to $seed."
        )
