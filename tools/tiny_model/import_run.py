"""Exported files become the beginning of a run, so that their training can go on anywhere."""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from manyshot.core.errors import InputError
from manyshot.core.json_text import parse_json
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.checkpoints import BEGUN, IMPORTED, save_checkpoint
from manyshot.trainer.stable_diffusion.tiny_checkpoint import NAME, load_single_file
from manyshot.trainer.tensor_files import write_tensors
from manyshot.trainer.training import Clock
from safetensors import safe_open
from torch import nn
from transformers import CLIPTokenizer

from . import autoencoder, diffusion
from . import text_pretraining as words
from .autoencoder import TrainableAutoencoder
from .export_controlnet import Kind, load_controlnet
from .train_controlnet import checkpoint_path


def import_run(
    run: Path, checkpoint: Path, controlnets: Path | None, tokenizer: CLIPTokenizer, sizes: Sizes
) -> list[Path]:
    """Write what `checkpoint` and the folder `controlnets` hold into the folder `run`.

    Returns the files that were read. What an export leaves out, the optimisers' state, begins
    anew; steps and minutes count from 0. Raises InputError, before anything is written, when a file
    is missing, damaged or of other sizes, or when the run has begun.
    """
    networks = load_single_file(checkpoint, tokenizer, sizes)
    files: dict[Kind, Path] = _controlnet_files(controlnets) if controlnets else {}
    nets: dict[Kind, nn.Module] = {k: load_controlnet(path, sizes) for k, path in files.items()}
    names = (autoencoder.CHECKPOINT, words.FILE, diffusion.CHECKPOINT)
    _check_unused([*(run / name for name in names), *(checkpoint_path(run, kind) for kind in nets)])
    before = _training(checkpoint)
    _save(run / names[0], {"autoencoder": trainable(networks.vae, sizes)}, before)
    imported = {BEGUN: json.dumps({IMPORTED: checkpoint.name})}
    write_tensors(run / names[1], networks.text_encoder.state_dict(), imported)
    _save(run / names[2], _with_average(networks.unet), before)
    for kind, net in nets.items():
        _save(checkpoint_path(run, kind), _with_average(net), _training(files[kind]))
    return [checkpoint, *files.values()]


def _controlnet_files(folder: Path) -> dict[Kind, Path]:
    kinds: tuple[Kind, ...] = get_args(Kind)
    files: dict[Kind, Path] = {kind: folder / f"{NAME}-{kind}.safetensors" for kind in kinds}
    present: dict[Kind, Path] = {kind: path for kind, path in files.items() if path.is_file()}
    if not present:
        raise InputError(f"{folder} holds none of {', '.join(p.name for p in files.values())}.")
    return present


def _with_average(model: nn.Module) -> dict[str, nn.Module]:
    return {"model": model, "average": deepcopy(model)}


def trainable(vae: AutoencoderTiny, sizes: Sizes) -> TrainableAutoencoder:
    """The autoencoder as it is trained; its norm takes the latents for normalised already."""
    model = TrainableAutoencoder(sizes)
    model.vae.load_state_dict(vae.state_dict())
    state = model.norm.state_dict()
    model.norm.load_state_dict(
        {**state, "running_var": torch.full_like(state["running_var"], 1 - model.norm.eps)}
    )
    return model


def _check_unused(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.exists():
            raise InputError(
                f"{path} exists and would be overwritten: pass another folder as --run."
            )


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
