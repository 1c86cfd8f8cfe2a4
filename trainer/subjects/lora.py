"""LoRA: trainable low-rank matrices beside the frozen ones, in the UNet and the text encoders.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from ...core.errors import InputError
from .adapted_model import AdaptedModel
from .base_model import BaseModel, freeze_unused_text_layers
from .lora_files import ADAPTER, write_kohya, write_peft

UNET_TARGETS = (
    r".*transformer_blocks\.\d+\.(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.(0\.proj|2))"
    r"|.*attentions\.\d+\.proj_(in|out)"
)
TEXT_TARGETS = r".*layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])"


def prepare_lora(
    base: BaseModel,
    rank: int,
    alpha: float,
    text: bool = True,
    seed: int = 0,
    peft: bool = False,
) -> AdaptedModel:
    """Add LoRA layers of `rank`, scaled by alpha / rank.

    They are written with kohya's keys and, with `peft`, also as a folder for diffusers.

    Raises InputError for a rank above the width of the narrowest layer.
    """
    torch.manual_seed(seed)
    networks: dict[str, nn.Module] = {"unet": base.unet}
    networks |= {str(i): tower.encoder for i, tower in enumerate(base.text_towers)} if text else {}
    for name, module in networks.items():
        module.requires_grad_(False)
        targets = UNET_TARGETS if name == "unet" else TEXT_TARGETS
        _check_rank(module, targets, rank)
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, lora_dropout=0.0)  # pyright: ignore
        inject_adapter_in_model(config, module, ADAPTER)
    freeze_unused_text_layers(base)
    learning: dict[str, nn.Module] = {"unet": base.unet}
    if text:
        learning["text"] = nn.ModuleList(tower.encoder for tower in base.text_towers)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        if peft:  # first: the other file's existence says that all is done
            write_peft(base, path, facts)
        write_kohya(base, path, facts)

    return AdaptedModel(base, "", 0, learning, write)


def _check_rank(module: nn.Module, targets: str, rank: int) -> None:
    widths = [
        min(layer.weight.shape[:2])
        for name, layer in module.named_modules()
        if re.fullmatch(targets, name) and isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    if rank > min(widths):
        raise InputError(
            f"Rank {rank} exceeds the width of the model's narrowest layer ({min(widths)}); "
            "4 to 32 are usual."
        )
