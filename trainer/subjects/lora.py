"""LoRA: small matrices beside the frozen ones, in the UNet and in the text encoders.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from ...core.errors import InputError
from .adapted import Adapted
from .base_model import BaseModel, freeze_unheard
from .lora_files import ADAPTER, write_kohya, write_peft

UNET_TARGETS = (
    r".*transformer_blocks\.\d+\.(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.(0\.proj|2))"
    r"|.*attentions\.\d+\.proj_(in|out)"
)
TEXT_TARGETS = r".*layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])"


def adapt(
    base: BaseModel,
    rank: int,
    alpha: float,
    text: bool = True,
    seed: int = 0,
    peft: bool = False,
) -> Adapted:
    """The base with LoRA layers of `rank`, scaled by alpha / rank.

    Written in kohya's keys and, with `peft`, as a folder for diffusers as well.

    Raises InputError for a rank that is more than the narrowest layer is wide.
    """
    torch.manual_seed(seed)
    parts: dict[str, nn.Module] = {"unet": base.unet}
    parts |= {str(i): part.encoder for i, part in enumerate(base.texts)} if text else {}
    for name, module in parts.items():
        module.requires_grad_(False)
        targets = UNET_TARGETS if name == "unet" else TEXT_TARGETS
        _check_rank(module, targets, rank)
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, lora_dropout=0.0)  # pyright: ignore
        inject_adapter_in_model(config, module, ADAPTER)
    freeze_unheard(base)
    learning: dict[str, nn.Module] = {"unet": base.unet}
    if text:
        learning["text"] = nn.ModuleList(part.encoder for part in base.texts)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        if peft:  # first, for the other file says that all is there
            write_peft(base, path, facts)
        write_kohya(base, path, facts)

    return Adapted(base, "", 0, learning, write)


def _check_rank(module: nn.Module, targets: str, rank: int) -> None:
    widths = [
        min(one.weight.shape[:2])
        for name, one in module.named_modules()
        if re.fullmatch(targets, name) and isinstance(one, nn.Linear | nn.Conv2d)
    ]
    if rank > min(widths):
        raise InputError(
            f"Rank {rank} exceeds the width of the model's narrowest layer ({min(widths)}); "
            "4 to 32 are usual."
        )
