"""LoRA: small matrices beside the frozen ones, in the UNet and in the text encoders.

Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models"; files in the keys of kohya's
sd-scripts, which ComfyUI and AUTOMATIC1111 read.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import save
from torch import Tensor, nn

from ...core.errors import InputError
from ...core.files import write_whole
from .adapted import Adapted
from .base_model import BaseModel, Family

ADAPTER = "subject"
UNET_TARGETS = (
    r".*transformer_blocks\.\d+\.(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.(0\.proj|2))"
    r"|.*attentions\.\d+\.proj_(in|out)"
)
TEXT_TARGETS = r".*layers\.\d+\.(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])"
TEXT_PREFIXES: dict[Family, tuple[str, ...]] = {
    "sd1": ("lora_te_",),
    "sdxl": ("lora_te1_", "lora_te2_"),
}


def adapt(base: BaseModel, rank: int, alpha: float, text: bool = True, seed: int = 0) -> Adapted:
    """The base with LoRA layers of `rank`, scaled by alpha / rank.

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
    learning: dict[str, nn.Module] = {"unet": base.unet}
    if text:
        learning["text"] = nn.ModuleList(part.encoder for part in base.texts)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        kohya = {**facts, "ss_network_dim": str(rank), "ss_network_alpha": f"{alpha:g}"}
        kohya["ss_network_module"] = "networks.lora"
        write_whole(path, save(kohya_tensors(base), kohya))

    return Adapted(base, "", 0, learning, write)


def _check_rank(module: nn.Module, targets: str, rank: int) -> None:
    widths = [
        min(one.weight.shape[:2])
        for name, one in module.named_modules()
        if re.fullmatch(targets, name) and isinstance(one, nn.Linear | nn.Conv2d)
    ]
    if rank > min(widths):
        raise InputError(
            f"Rank {rank} is more than the narrowest layer of this model is wide ({min(widths)}); "
            "4 to 32 are usual."
        )


def kohya_tensors(base: BaseModel) -> dict[str, Tensor]:
    """All matrices in half precision under kohya's names, with the alpha of each layer."""
    found: dict[str, Tensor] = {}
    for module, prefix in _prefixes(base):
        found |= _named(module, prefix)
    return found


def set_kohya_tensors(base: BaseModel, tensors: Mapping[str, Tensor]) -> None:
    """Fill the LoRA layers from what `kohya_tensors` gave."""
    for module, prefix in _prefixes(base):
        for key, layer in _keys(module, prefix):
            _matrix(layer.lora_A).data.copy_(tensors[f"{key}.lora_down.weight"])
            _matrix(layer.lora_B).data.copy_(tensors[f"{key}.lora_up.weight"])


def _prefixes(base: BaseModel) -> list[tuple[nn.Module, str]]:
    texts = zip(base.texts, TEXT_PREFIXES[base.family], strict=True)
    return [
        (base.unet, "lora_unet_"),
        *((part.encoder, f"{prefix}text_model_") for part, prefix in texts),
    ]


def _keys(module: nn.Module, prefix: str) -> Iterator[tuple[str, LoraLayer]]:
    """The adapted layers under kohya's names; transformers 4 begins its own with text_model."""
    for name, layer in module.named_modules():
        if isinstance(layer, LoraLayer):
            yield prefix + name.removeprefix("text_model.").replace(".", "_"), layer


def _named(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for key, layer in _keys(module, prefix):
        down, up = _matrix(layer.lora_A), _matrix(layer.lora_B)
        found[f"{key}.lora_down.weight"] = _stored(down)
        found[f"{key}.lora_up.weight"] = _stored(up)
        found[f"{key}.alpha"] = torch.tensor(float(layer.lora_alpha[ADAPTER])).half()
    return found


def _matrix(parts: nn.ModuleDict) -> Tensor:
    weight = parts[ADAPTER].weight
    assert isinstance(weight, Tensor)
    return weight


def _stored(weight: Tensor) -> Tensor:
    return weight.detach().to("cpu", torch.float16).contiguous()
