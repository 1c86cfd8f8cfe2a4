"""The payload of txt2img and img2img, and the request around it with what its reply must show."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ....core.webui_prompt import Language
from ....core.webui_prompt.from_comfy import from_comfy
from ....core.webui_prompt.networks import loras, take_networks
from ....core.webui_prompt.read import parse
from ....core.webui_prompt.write import write

RESIZE = ("Just resize", "Crop and resize", "Resize and fill")
FILL = ("fill", "original", "latent noise", "latent nothing")
NOISE = "randn_source"
PINNED = {
    NOISE: "CPU",  # the noise of a seed is the same on every machine, and ComfyUI's
    "eta_noise_seed_delta": 0,
    "eta_ancestral": 1.0,
    "eta_ddim": 0.0,
    "s_churn": 0.0,
    "s_noise": 1.0,
    "s_min_uncond": 0,
    "sgm_noise_multiplier": False,
    "initial_noise_multiplier": 1.0,
    "img2img_fix_steps": False,
    "img2img_color_correction": False,
    "token_merging_ratio": 0.0,
    "token_merging_ratio_img2img": 0.0,
    "token_merging_ratio_hr": 0.0,
    "always_discard_next_to_last_sigma": False,
    "use_old_emphasis_implementation": False,
    "use_old_karras_scheduler_sigmas": False,
}
"""Settings of the WebUI that change pixels, and that all its versions from 1.6 on have."""
MODELS = ("sd_model_checkpoint", "sd_vae", "forge_additional_modules")
"""Settings that choose models; they stay as the last request had them."""
Encode = Callable[[str], str]
"""The key of a picture in the settings -> its file in base64."""


def payload(
    settings: Mapping[str, Any], prompt: str, negative: str, seed: int, images: int, encode: Encode
) -> dict[str, Any]:
    """All fields that decide pixels are sent, so that none is left to the server's own settings.

    `settings` is a complete `WebUI` as plain values.
    """
    fields = {
        "prompt": prompt,
        "negative_prompt": negative,
        "seed": seed,
        "subseed": 0,
        "subseed_strength": 0,
        "batch_size": images,
        "n_iter": 1,
        "steps": settings["steps"],
        "cfg_scale": settings["cfg_scale"],
        "sampler_name": settings["sampler"],
        "scheduler": settings["scheduler"],
        "width": settings["width"],
        "height": settings["height"],
        "restore_faces": False,
        "tiling": False,
        "styles": [],
        "send_images": True,
        "save_images": False,
        "override_settings": overrides(settings),
        "override_settings_restore_afterwards": False,
    }
    units = [_unit(unit, f"controlnet.{i}.image", encode) for i, unit in _numbered(settings)]
    scripts = {"alwayson_scripts": {"controlnet": {"args": units}}} if units else {}
    second = _img2img(settings, encode) if settings["init_image"] else _hires(settings)
    return {**fields, **second, **scripts, **settings["fields"]}


def overrides(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the WebUI that go with each request, so that no other request's are met:
    they stay as the last request left them."""
    return {
        **PINNED,
        "sd_model_checkpoint": settings["checkpoint"],
        "sd_vae": settings["vae"] or "Automatic",
        "CLIP_stop_at_last_layers": settings["clip_skip"],
        **settings["options"],
    }


def _img2img(settings: Mapping[str, Any], encode: Encode) -> dict[str, Any]:
    fields = {
        "init_images": [encode("init_image")],
        "denoising_strength": settings["denoising_strength"],
        "resize_mode": RESIZE.index(settings["resize_mode"]),
    }
    if not settings["mask"]:
        return fields
    return {
        **fields,
        "mask": encode("mask"),
        "mask_blur": settings["mask_blur"],
        "inpainting_fill": FILL.index(settings["fill"]),
        "inpaint_full_res": settings["only_masked"],
        "inpaint_full_res_padding": settings["only_masked_padding"],
        "inpainting_mask_invert": 0,
    }


def _hires(settings: Mapping[str, Any]) -> dict[str, Any]:
    hires = settings["hires"]
    if not hires:
        return {"enable_hr": False}
    return {
        "enable_hr": True,
        "hr_upscaler": hires["upscaler"],
        "hr_scale": hires["scale"],
        "hr_second_pass_steps": hires["steps"],
        "denoising_strength": hires["denoising_strength"],
    }


def _unit(unit: Mapping[str, Any], key: str, encode: Encode) -> dict[str, Any]:
    """`enabled` is false by default in sd-webui-controlnet, and true in Forge. The map that comes
    back is the only proof that a unit took part."""
    return {**unit, "image": encode(key), "enabled": True, "save_detected_map": True}


def _numbered(settings: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    return list(enumerate(settings["controlnet"]))


@dataclass(frozen=True)
class Request:
    """One call of txt2img or img2img, in the fields of AUTOMATIC1111 1.10's API.

    `images` are wanted, with seeds from `seed` on, of `size` (width, height). `prompt` is the text
    that was sent, `loras` and `embeddings` what it calls. `units` of ControlNet must have taken
    part: of each the picture, or None where a preprocessor changes it. `checkpoint` and `vae` are
    names as the recipe has them; vae "Automatic" is the WebUI's choice.
    """

    endpoint: Literal["txt2img", "img2img"]
    payload: Mapping[str, Any]
    prompt: str
    seed: int
    images: int
    size: tuple[int, int]
    checkpoint: str
    vae: str
    loras: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    units: tuple[bytes | None, ...] = ()


_NEGATION = re.compile(r"\bAND\s+NOT\b")
_EMBEDDING = re.compile(r"\bembedding:([^\s,()\[\]:|]+)")


def webui_text(text: str, language: Language = "webui") -> str:
    """A prompt as the WebUI has it: in its own language, embeddings called by their bare names.

    Raises InputError for what it cannot be told.
    """
    if language == "comfyui":
        text = from_comfy(text)
    elif _NEGATION.search(text):  # which the WebUI knows as a weight alone
        text = write(parse(text))
    return _EMBEDDING.sub(r"\1", text)


def with_loras(text: str, called: Sequence[tuple[str, float]]) -> str:
    """`text`, and behind it what calls each LoRA (name, weight)."""
    return " ".join([text, *(f"<lora:{name}:{weight:g}>" for name, weight in called)])


def find_loras(text: str) -> tuple[str, ...]:
    """The LoRAs that a prompt calls. Raises InputError for a strength that is no number."""
    return tuple(network.name for network in loras(take_networks(text)[1]))


def find_embeddings(*texts: str) -> tuple[str, ...]:
    """The embeddings that prompts call as `embedding:name`, each once."""
    return tuple(dict.fromkeys(name for text in texts for name in _EMBEDDING.findall(text)))
