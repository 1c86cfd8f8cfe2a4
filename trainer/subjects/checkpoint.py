"""A tuned base as one file: in the place of the one it was read from, or of a diffusers folder."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from ...core.errors import InputError
from ..divergence import check_finite
from ..tensor_files import write_tensors
from .base_model import LEAST_ALPHA, BaseModel
from .original_layout import text_tensors, unet_tensors, vae_tensors

SINGLE = ("first_stage_model.vae_scale", "first_stage_model.vae_shift")  # half would round them


def check_writable(base: BaseModel) -> None:
    """Raises InputError when the base's own file names its UNet in a way that is not known."""
    if base.file is None:
        return
    with safe_open(base.file, "pt") as file:
        missing = sorted(unet_tensors(base).keys() - set(file.keys()))
    if missing:
        raise InputError(f"{base.file} has no {missing[0]}: its layout is not known. Use lora.")


def write_checkpoint(base: BaseModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write the base as it is now in the original layout: in the types of its own file, or half."""
    found = _in_its_file(base, base.file) if base.file else _halves(base)
    check_finite(path, {name: found[name] for name in {**unet_tensors(base), **text_tensors(base)}})
    known = _metadata(base.file) if base.file else {}
    write_tensors(path, found, {**known, **facts})


def _in_its_file(base: BaseModel, file: Path) -> dict[str, Tensor]:
    tensors = load_file(file)
    for key, value in {**unet_tensors(base), **text_tensors(base)}.items():
        tensors[key] = _stored(value, tensors[key].dtype if key in tensors else torch.float16)
    return tensors


def _halves(base: BaseModel) -> dict[str, Tensor]:
    tensors = {**unet_tensors(base), **text_tensors(base), **vae_tensors(base)}
    # Names that say it all, as ComfyUI reads them in SDXL's files.
    if base.prediction == "v_prediction":
        tensors["v_pred"] = torch.empty(0)
    if base.alphas[-1] <= LEAST_ALPHA:
        tensors["ztsnr"] = torch.empty(0)
    return {
        key: _stored(value, torch.float32 if key in SINGLE else torch.float16)
        for key, value in tensors.items()
    }


def _stored(value: Tensor, kind: torch.dtype) -> Tensor:
    return value.to("cpu", kind).contiguous()


def _metadata(file: Path) -> dict[str, str]:
    with safe_open(file, "pt") as opened:
        known = opened.metadata() or {}
    # Hash and title are the base's own.
    return {k: v for k, v in known.items() if not k.endswith(("hash_sha256", "title"))}
