"""A tuned base as one file: what it was read from, with the UNet and text encoder put in."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from ...core.errors import InputError
from ...core.files import write_whole
from ..base.keys import original_text_key, original_unet_key, unet_modules
from .base_model import BaseModel


def check_writable(base: BaseModel) -> Path:
    """The single file that the base came from. Raises InputError when there is none."""
    if base.file is None:
        raise InputError(
            "DreamBooth writes a single-file checkpoint, and this base is a diffusers folder. "
            "Give the model's .safetensors file, or use lora."
        )
    return base.file


def write_checkpoint(base: BaseModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write the base as it is now, in the original layout and the types of its own file."""
    file = check_writable(base)
    tensors = load_file(file)
    for key, value in _tuned(base).items():
        if key not in tensors:
            raise InputError(f"{file} has no {key}: its layout is not known.")
        tensors[key] = value.to(tensors[key].dtype).contiguous()
    write_whole(path, save(tensors, {**_metadata(file), **facts}))


def _metadata(file: Path) -> dict[str, str]:
    with safe_open(file, "pt") as opened:
        known = opened.metadata() or {}
    # Hash and title are the base's own.
    return {k: v for k, v in known.items() if not k.endswith(("hash_sha256", "title"))}


def _tuned(base: BaseModel) -> dict[str, Tensor]:
    """UNet and, of SD1, text encoder under their original names."""
    config = base.unet.config
    attention = ["CrossAttn" in block for block in config["down_block_types"]]
    modules = unet_modules(attention, config["layers_per_block"])
    found = {original_unet_key(k, modules): v for k, v in base.unet.state_dict().items()}
    if base.family == "sd1":
        encoder = base.texts[0].encoder
        found |= {original_text_key(k): v for k, v in encoder.state_dict().items()}
    return {key: value.detach().to("cpu", torch.float32) for key, value in found.items()}
