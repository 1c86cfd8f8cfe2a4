"""Tensor names of the original single-file layout, CompVis' and open_clip's.

Those of the UNet and of SD1's text encoder are in `trainer/stable_diffusion/keys.py`; here are
Stable Diffusion's autoencoder and SDXL's second text encoder.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn

from ...core.tiny_sizes import SD1_SCALE_FACTOR
from ..stable_diffusion.keys import (
    original_text_key,
    original_unet_key,
    original_vae_key,
    unet_modules,
)
from .base_model import BaseModel

VAE = "first_stage_model."
FIRST_TEXT = "conditioner.embedders.0.transformer.text_model."
SECOND_TEXT = "conditioner.embedders.1.model."
_MIDDLE = {"resnets.0": "block_1", "attentions.0": "attn_1", "resnets.1": "block_2"}
_VAE_PARTS = {
    "conv_shortcut": "nin_shortcut",
    "conv_norm_out": "norm_out",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}
_OPEN_CLIP = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "encoder.layers.": "transformer.resblocks.",
    "self_attn.": "attn.",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "final_layer_norm": "ln_final",
}


def unet_tensors(base: BaseModel) -> dict[str, Tensor]:
    """The UNet's tensors by their original names."""
    config = base.unet.config
    attention = ["CrossAttn" in block for block in config["down_block_types"]]
    modules = unet_modules(attention, config["layers_per_block"])
    return {original_unet_key(k, modules): v for k, v in _state(base.unet).items()}


def text_tensors(base: BaseModel) -> dict[str, Tensor]:
    """The text encoders' tensors by their original names."""
    first, *second = (_state(tower.encoder) for tower in base.text_towers)
    if not second:
        return {original_text_key(key): value for key, value in first.items()}
    tensors = {FIRST_TEXT + key.removeprefix("text_model."): value for key, value in first.items()}
    return tensors | {SECOND_TEXT + key: value for key, value in open_clip_tensors(second[0])}


def open_clip_tensors(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Convert transformers' CLIP to open_clip: queries, keys and values in one matrix."""
    for key, value in tensors.items():
        name = key.removeprefix("text_model.")
        for ours, original in _OPEN_CLIP.items():
            name = name.replace(ours, original)
        if key == "text_projection.weight":
            yield "text_projection", value.T
        elif ".q_proj." in name:
            parts = [tensors[key.replace(".q_", f".{letter}_")] for letter in "qkv"]
            yield name.replace("q_proj.", "in_proj_"), torch.cat(parts)
        elif ".k_proj." not in name and ".v_proj." not in name:
            yield name, value


def vae_tensors(base: BaseModel) -> dict[str, Tensor]:
    """The autoencoder's tensors by their original names, Stable Diffusion's or TAESD's."""
    module, tensors = base.codec.module, _state(base.codec.module)
    if not isinstance(module, AutoencoderKL):
        renamed = {original_vae_key(key): value for key, value in tensors.items()}
        scale = {"vae_scale": torch.tensor(SD1_SCALE_FACTOR), "vae_shift": torch.tensor(0.0)}
        return renamed | {VAE + key: value for key, value in scale.items()}
    last = len(module.config["block_out_channels"]) - 1
    return {VAE + vae_key(key, last): _as_convolution(key, v) for key, v in tensors.items()}


def vae_key(key: str, last: int) -> str:
    """The original name of an AutoencoderKL's tensor. The original counts the `last` + 1 levels
    from the highest resolution in both encoder and decoder."""
    for ours, original in _VAE_PARTS.items():
        key = re.sub(rf"\b{re.escape(ours)}\b", original, key)
    for ours, original in _MIDDLE.items():
        key = key.replace(f"mid_block.{ours}", f"mid.{original}")
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{last - int(m[1])}.block", key)
    return re.sub(
        r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{last - int(m[1])}.upsample", key
    )


def _as_convolution(key: str, value: Tensor) -> Tensor:
    return value[:, :, None, None] if ".to_" in key and value.ndim == 2 else value


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.detach() for key, value in module.state_dict().items()}
