"""DreamBooth: the whole UNet is fine-tuned, regularised by pictures of its class, and written as a
full checkpoint.

Ruiz et al. 2023, "DreamBooth: Fine Tuning Text-to-Image Diffusion Models for Subject-Driven
Generation".
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ...core.errors import InputError
from ..divergence import check_finite
from ..tensor_files import write_tensors
from .adapted_model import AdaptedModel
from .base_model import LEAST_ALPHA, BaseModel, freeze_unused_text_layers
from .original_layout import text_tensors, unet_tensors, vae_tensors


def prepare_dreambooth(base: BaseModel, text: bool = False) -> AdaptedModel:
    """Make the UNet trainable, and with `text` the text encoders too.

    Raises InputError for a base that could not be written afterwards.
    """
    check_writable(base)
    learning: dict[str, nn.Module] = {"unet": base.unet}
    if text:
        learning["text"] = nn.ModuleList(tower.encoder for tower in base.text_towers)
    for module in learning.values():
        module.requires_grad_(True)
    freeze_unused_text_layers(base)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        write_checkpoint(base, path, facts)

    return AdaptedModel(base, "", 0, learning, write)


SINGLE = ("first_stage_model.vae_scale", "first_stage_model.vae_shift")  # half rounds these


def check_writable(base: BaseModel) -> None:
    """Raises InputError when the base's file has an unknown layout."""
    if base.file is None:
        return
    with safe_open(base.file, "pt") as file:
        missing = sorted(unet_tensors(base).keys() - set(file.keys()))
    if missing:
        raise InputError(f"{base.file} has no {missing[0]}: its layout is unknown. Use lora.")


def write_checkpoint(base: BaseModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write the base in the original layout, in the dtypes of its own file or in half precision."""
    tensors = _merge_into_file(base, base.file) if base.file else _to_half_precision(base)
    check_finite(
        path, {name: tensors[name] for name in {**unet_tensors(base), **text_tensors(base)}}
    )
    metadata = _metadata(base.file) if base.file else {}
    write_tensors(path, tensors, {**metadata, **facts})


def _merge_into_file(base: BaseModel, file: Path) -> dict[str, Tensor]:
    tensors = load_file(file)
    for key, value in {**unet_tensors(base), **text_tensors(base)}.items():
        tensors[key] = _cast(value, tensors[key].dtype if key in tensors else torch.float16)
    return tensors


def _to_half_precision(base: BaseModel) -> dict[str, Tensor]:
    tensors = {**unet_tensors(base), **text_tensors(base), **vae_tensors(base)}
    # ComfyUI reads these from the names of empty tensors in SDXL files.
    if base.prediction == "v_prediction":
        tensors["v_pred"] = torch.empty(0)
    if base.alphas[-1] <= LEAST_ALPHA:
        tensors["ztsnr"] = torch.empty(0)
    return {
        key: _cast(value, torch.float32 if key in SINGLE else torch.float16)
        for key, value in tensors.items()
    }


def _cast(value: Tensor, kind: torch.dtype) -> Tensor:
    return value.to("cpu", kind).contiguous()


def _metadata(file: Path) -> dict[str, str]:
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata() or {}
    # Hash and title belong to the base.
    return {k: v for k, v in metadata.items() if not k.endswith(("hash_sha256", "title"))}
