"""Exported files become the beginning of a run, so that their training can go on anywhere."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from safetensors import safe_open
from torch import nn
from transformers import CLIPTokenizer

from ...core.errors import InputError
from ...core.json_text import parse_json
from ...core.tiny_sizes import Sizes
from ..tensor_files import write_tensors
from . import autoencoder, diffusion, words
from .autoencoder import TrainableAutoencoder
from .checkpoints import BEGUN, IMPORTED, save_checkpoint
from .export import NAME, load_single_file
from .export_controlnet import Kind, load_controlnet
from .train_controlnet import checkpoint_path
from .training import Clock


def import_run(run: Path, checkpoint: Path, tokenizer: CLIPTokenizer, sizes: Sizes) -> None:
    """Write the autoencoder, the text encoder and the UNet of `checkpoint` into the folder `run`.

    What an export leaves out, the optimisers' state, begins anew; steps and minutes count from 0.
    Raises InputError when the file is missing or of other sizes, or when the run has begun.
    """
    networks = load_single_file(checkpoint, tokenizer, sizes)
    vae, text_encoder, unet = (
        _unused(run / name) for name in (autoencoder.CHECKPOINT, words.FILE, diffusion.CHECKPOINT)
    )
    before = _training(checkpoint)
    _save(vae, {"autoencoder": trainable(networks.vae, sizes)}, before)
    imported = {BEGUN: json.dumps({IMPORTED: checkpoint.name})}
    write_tensors(text_encoder, networks.text_encoder.state_dict(), imported)
    _save(unet, {"model": networks.unet, "average": deepcopy(networks.unet)}, before)


def import_controlnets(run: Path, folder: Path, sizes: Sizes) -> list[Path]:
    """Write each ControlNet that lies in `folder` into the folder `run`; returns their files.

    Raises InputError when there is none, when one is damaged, or when its training has begun.
    """
    files: dict[Kind, Path] = {
        kind: folder / f"{NAME}-{kind}.safetensors" for kind in get_args(Kind)
    }
    found: dict[Kind, Path] = {kind: path for kind, path in files.items() if path.is_file()}
    if not found:
        raise InputError(f"{folder} holds none of {', '.join(p.name for p in files.values())}.")
    for kind, path in found.items():
        controlnet = load_controlnet(path, sizes)
        modules = {"model": controlnet, "average": deepcopy(controlnet)}
        _save(_unused(checkpoint_path(run, kind)), modules, _training(path))
    return list(found.values())


def trainable(vae: AutoencoderTiny, sizes: Sizes) -> TrainableAutoencoder:
    """The autoencoder as it is trained; its norm takes the latents for normalised already."""
    model = TrainableAutoencoder(sizes)
    model.vae.load_state_dict(vae.state_dict())
    state = model.norm.state_dict()
    model.norm.load_state_dict(
        {**state, "running_var": torch.full_like(state["running_var"], 1 - model.norm.eps)}
    )
    return model


def _unused(path: Path) -> Path:
    if path.exists():
        raise InputError(f"{path} exists, and would be lost: give another folder as --run.")
    return path


def _training(path: Path) -> dict[str, Any]:
    """What an exported file says of its training."""
    with safe_open(path, "pt") as file:
        stored = parse_json((file.metadata() or {}).get("manyshot.training", "{}"))
    trained = {key: value for key, value in stored.items() if key not in ("data", "sizes")}
    return {"file": path.name, **trained}


def _save(path: Path, modules: Mapping[str, nn.Module], before: dict[str, Any]) -> None:
    nothing_learned = torch.optim.SGD(next(iter(modules.values())).parameters(), lr=0.0)
    clock, begun = Clock(1, None, before=before), {IMPORTED: before["file"]}
    save_checkpoint(path, modules, nothing_learned, clock, begun)
