"""What decides the pixels of a processing, as plain values whose hash makes the jobs' ids."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from PIL import Image

OTHERS = {
    # of each job, and hashed with it
    "prompt", "negative_prompt", "seed", "batch_size", "n_iter",
    # where to, and what is said of it
    "sd_model", "outpath_samples", "outpath_grids", "do_not_save_samples", "do_not_save_grid",
    "prompt_for_display", "extra_generation_params", "override_settings_restore_afterwards",
    "do_not_reload_embeddings", "overlay_images", "comments", "sampler_index", "force_task_id",
    # in option_facts
    "override_settings",
    # what an earlier call left behind
    "cached_c", "cached_uc", "cached_hr_c", "cached_hr_uc", "nmask",
    "image_conditioning", "init_img_hash", "mask_for_overlay", "init_latent",
}  # fmt: skip
LATER = {"image_mask", "token_merging_ratio", "token_merging_ratio_hr"}  # set after the start
CHECKPOINT = "sd_model_checkpoint"  # an option; its digest is a fact of its own
WITHOUT_SECOND_PASS = {"denoising_strength", "sd_vae_encode_method"}  # that then mean nothing
OPTIONS = (
    "CLIP_stop_at_last_layers", "eta_noise_seed_delta", "eta_ddim", "eta_ancestral", "randn_source",
    "emphasis", "comma_padding_backtrack", "upcast_attn", "sd_vae_encode_method",
    "sd_vae_decode_method", "token_merging_ratio", "token_merging_ratio_img2img",
    "initial_noise_multiplier", "img2img_color_correction", "face_restoration",
    "face_restoration_model", "code_former_weight", "sd_vae", "forge_additional_modules",
)  # fmt: skip


def processing_facts(p: Any) -> dict[str, Any]:
    """The fields of a processing that decide pixels; pictures are hashes of their pixels.

    `p`: a StableDiffusionProcessing, which is a dataclass from version 1.6 on, so that fields of
    later versions count by themselves.
    """
    names = {field.name for field in fields(p) if field.init} - OTHERS | LATER
    return {name: fact(getattr(p, name, None)) for name in sorted(names) if _counts(p, name)}


def option_facts(options: Any, p: Any) -> dict[str, Any]:
    """The settings of the WebUI that decide pixels, as far as its version has them, and what the
    processing `p` overrides."""
    there = {name: getattr(options, name) for name in OPTIONS if _has(options, name)}
    overrides = {name: value for name, value in p.override_settings.items() if name != CHECKPOINT}
    values = {**there, **overrides}
    return {name: fact(values[name]) for name in sorted(values) if _counts(p, name)}


def _counts(p: Any, name: str) -> bool:
    """Whether a field or an option does something: the page fills in hires fix when it is off."""
    second_pass = getattr(p, "enable_hr", True)  # img2img has no such field
    return second_pass or not (name.startswith("hr_") or name in WITHOUT_SECOND_PASS)


def fact(value: Any) -> Any:
    """A value that JSON can hold and that is equal for equal pixels."""
    if isinstance(value, Enum):
        return fact(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Image.Image):
        return _digest(value.mode.encode(), str(value.size).encode(), value.tobytes())
    if isinstance(value, Mapping):
        return {
            str(key): fact(item) for key, item in sorted(value.items(), key=lambda i: str(i[0]))
        }
    if isinstance(value, (list, tuple)):
        return [fact(item) for item in value]
    if hasattr(value, "tobytes") and hasattr(value, "shape"):
        return _digest(str(value.shape).encode(), str(value.dtype).encode(), value.tobytes())
    return _fact_of_object(value)


def _fact_of_object(value: Any) -> Any:
    """An object's fields where it has some that are plain; its type alone else."""
    name = type(value).__name__
    if is_dataclass(value) and not isinstance(value, type):
        return [name, {f.name: fact(getattr(value, f.name, None)) for f in fields(value)}]
    names = getattr(type(value), "__fields__", ())  # of a pydantic model of either version
    return (
        [name, {key: fact(getattr(value, key, None)) for key in sorted(names)}] if names else name
    )


def _has(options: Any, name: str) -> bool:
    """The WebUI's options raise AttributeError, or KeyError in some versions."""
    try:
        getattr(options, name)
    except (AttributeError, KeyError):
        return False
    return True


def _digest(*parts: bytes) -> str:
    hasher = sha256()
    for chunk in parts:
        hasher.update(len(chunk).to_bytes(8, "big") + chunk)
    return hasher.hexdigest()
