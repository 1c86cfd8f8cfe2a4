"""What a sampler starts from, read backwards: a size, a photo, a mask, or another sampler."""

from collections.abc import Collection
from typing import Any

from ...workflow.graph import Slot, is_link
from .walk import Output, Walk

CELL = 8  # pixels a side of one element of a latent image

UPSCALES = {
    "nearest-exact": "Latent (nearest-exact)",
    "bilinear": "Latent",
    "bicubic": "Latent (bicubic)",
}
"""How ComfyUI enlarges latents -> what the WebUI calls the same."""
LARGER = ("LatentUpscale", "LatentUpscaleBy")
SHARED = ("model", "positive", "negative", "cfg", "sampler_name", "scheduler", "seed")
MASKING = {"SetLatentNoiseMask": "original", "VAEEncodeForInpaint": "latent nothing"}
"""Nodes of inpainting -> what the WebUI's sampler begins with under the mask."""


def read_start(walk: Walk, sampler: str, recipe_keys: Collection[str] = ()) -> dict[str, Any]:
    """`width` and `height`, or `init_image`, `denoising_strength`, `mask` and `fill`, but for those
    that are `given`.

    A size that is the picture's own is left out. Raises InputError for any other start.
    """
    node_id = walk.source(sampler, "latent_image").node_id
    if walk.kind(node_id) == "EmptyLatentImage":
        return _empty(walk, sampler, node_id)
    masked: dict[str, Any] = {}
    if walk.kind(node_id) in MASKING:
        masked = {} if "mask" in recipe_keys else _read_mask(walk, node_id)
    if walk.kind(node_id) == "SetLatentNoiseMask":
        node_id = walk.source(node_id, "samples").node_id
    if walk.kind(node_id) not in ("VAEEncode", "VAEEncodeForInpaint"):
        walk.refuse(node_id, "makes the latent image")
    photo = {} if "init_image" in recipe_keys else _photo(walk, node_id)
    strength = {"denoising_strength": walk.value(sampler, "denoise", "denoising_strength")}
    return {**photo, **strength, **masked}


def first_pass(walk: Walk, sampler: str) -> str:
    """The sampler whose enlarged latents `sampler` goes on with; itself where there is none."""
    larger = walk.source(sampler, "latent_image").node_id
    if walk.kind(larger) not in LARGER:
        return sampler
    first = walk.source(larger, "samples").node_id
    if walk.kind(first) != "KSampler":
        walk.refuse(larger, "enlarges a latent image that is not a sampler's")
    return first


def read_hires(walk: Walk, sampler: str, first: str) -> dict[str, Any]:
    """`hires`, where `sampler` is a second pass. Raises InputError for what hires fix cannot."""
    if sampler == first:
        return {}
    for name in SHARED:
        if _input(walk, first, name) != _input(walk, sampler, name):
            sentence = (
                f"has a different {name!r} than {walk.describe(first)}; hires fix uses "
                "the same for both."
            )
            walk.stop(sampler, sentence, "hires")
    larger = walk.source(sampler, "latent_image").node_id
    method = walk.value(larger, "upscale_method", "hires")
    if method not in UPSCALES:
        walk.refuse(larger, f"enlarges by {method!r}", "hires")
    hires = {
        "upscaler": UPSCALES[method],
        "scale": _scale(walk, larger, walk.source(first, "latent_image")),
        "steps": walk.value(sampler, "steps", "hires"),
        "denoising_strength": walk.value(sampler, "denoise", "hires"),
    }
    return {"hires": hires}


def _empty(walk: Walk, sampler: str, node_id: str) -> dict[str, Any]:
    strength = walk.value(sampler, "denoise", "")
    if strength not in (None, 1):
        walk.stop(sampler, f"has denoise {strength} over an empty image; set it to 1.")
    return _size(walk, node_id)


def _photo(walk: Walk, encoder: str) -> dict[str, Any]:
    return {"init_image": walk.picture(walk.source(encoder, "pixels").node_id, "init_image")}


def _read_mask(walk: Walk, node_id: str) -> dict[str, Any]:
    """What is white in a picture is drawn anew, in both programs."""
    grown = walk.value(node_id, "grow_mask_by", "mask")
    if grown:
        sentence = f"has grow_mask_by {grown}, but a WebUI does not grow masks; set it to 0."
        walk.stop(node_id, sentence, "mask")
    mask = mask_picture(walk, walk.source(node_id, "mask"), "mask")
    return {"mask": mask, "mask_blur": 0, "fill": MASKING[walk.kind(node_id)]}


def _size(walk: Walk, node_id: str) -> dict[str, Any]:
    """Of a size taken from a picture that the job has, nothing: it is known when that is."""
    size: dict[str, Any] = {}
    for name in ("width", "height"):
        link = walk.graph[node_id]["inputs"].get(name)
        if is_link(link) and walk.kind(link[0]) == "GetImageSize":
            walk.picture(walk.source(link[0], "image").node_id, name)
        else:
            size[name] = walk.value(node_id, name, name)
    return size


def mask_picture(walk: Walk, output: Output, key: str = "") -> str:
    """The picture of a mask. Raises InputError for one made of transparency, or computed."""
    loader = output.node_id
    if walk.kind(loader) not in ("LoadImage", "LoadImageMask"):
        walk.refuse(loader, "makes a mask", key)
    if walk.graph[loader]["inputs"].get("channel", "alpha") == "alpha":
        walk.stop(loader, "takes the mask from transparency. Take it from the channel red.", key)
    return walk.picture(loader, key)


def _scale(walk: Walk, larger: str, start: Output) -> Any:
    """How many times larger each side is made; whole latents of 8 pixels must come out of it."""
    sides = [walk.value(start.node_id, name, "hires") for name in ("width", "height")]
    if walk.kind(larger) == "LatentUpscaleBy":
        scale = walk.value(larger, "scale_by", "hires")
        target = [side * scale for side in sides if isinstance(side, int)]
    else:
        target = [walk.value(larger, name, "hires") for name in ("width", "height")]
        scale = target[0] / sides[0] if _whole(target[0], sides[0]) else None
    same = scale is not None and target == [side * scale for side in sides]
    if len(target) != 2 or not same or any(side % CELL for side in target):
        walk.stop(
            larger,
            f"makes a different size than a WebUI would. Both sides must be {sides[0]} and "
            f"{sides[1]} times the same number, and divisible by {CELL}.",
            "hires",
        )
    return scale


def _whole(*values: Any) -> bool:
    return all(isinstance(value, int) and value > 0 for value in values)


def _input(walk: Walk, node_id: str, name: str) -> Any:
    reference = walk.reference(Slot(node_id, name))
    return reference or walk.graph[node_id]["inputs"].get(name)
