"""LoRA files: with the keys of kohya's sd-scripts, which ComfyUI and AUTOMATIC1111 read, and with
peft's, which `load_lora_weights` of diffusers' pipelines reads."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from ...core.subject_file import KEY
from ..divergence import check_finite
from ..tensor_files import write_tensors
from .base_model import BaseModel, Family

ADAPTER = "subject"
PEFT_FILE = "pytorch_lora_weights.safetensors"  # what diffusers looks for in a folder
TEXT_PREFIXES: dict[Family, tuple[str, ...]] = {
    "sd1": ("lora_te_",),
    "sdxl": ("lora_te1_", "lora_te2_"),
}


def write_kohya(base: BaseModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write the file that servers read; as in kohya's, its header has rank and alpha."""
    tensors = kohya_tensors(base)
    check_finite(path, tensors)
    rank, alpha = rank_and_alpha(tensors)
    kohya = {"ss_network_dim": str(rank), "ss_network_alpha": f"{alpha:g}"}
    kohya["ss_network_module"] = "networks.lora"
    write_tensors(path, tensors, {**facts, **kohya})


def write_peft(base: BaseModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write a folder beside `path` for diffusers, without the header of a subject file."""
    check_finite(path, kohya_tensors(base))
    folder = path.with_name(f"{path.stem}-peft")
    plain = {key: value for key, value in facts.items() if key != KEY}
    write_tensors(folder / PEFT_FILE, peft_tensors(base), {**plain, "format": "pt"})


def kohya_tensors(base: BaseModel) -> dict[str, Tensor]:
    """All matrices in half precision with kohya's names, and the alpha of each layer."""
    tensors: dict[str, Tensor] = {}
    for module, prefix in _kohya_prefixes(base):
        for name, layer in _layers(module):
            key = prefix + name.replace(".", "_")
            tensors[f"{key}.lora_down.weight"] = _to_half(_matrix(layer.lora_A))
            tensors[f"{key}.lora_up.weight"] = _to_half(_matrix(layer.lora_B))
            tensors[f"{key}.alpha"] = torch.tensor(float(layer.lora_alpha[ADAPTER]))
    return tensors


def rank_and_alpha(tensors: Mapping[str, Tensor]) -> tuple[int, float]:
    """Rank and alpha of kohya's tensors; all layers have the same."""
    down = next(key for key in tensors if key.endswith(".lora_down.weight"))
    alpha = tensors[down.replace(".lora_down.weight", ".alpha")]
    return tensors[down].shape[0], float(alpha)


def set_kohya_tensors(base: BaseModel, tensors: Mapping[str, Tensor]) -> None:
    """Load the LoRA layers from the output of `kohya_tensors`."""
    for module, prefix in _kohya_prefixes(base):
        for name, layer in _layers(module):
            key = prefix + name.replace(".", "_")
            _matrix(layer.lora_A).data.copy_(tensors[f"{key}.lora_down.weight"])
            _matrix(layer.lora_B).data.copy_(tensors[f"{key}.lora_up.weight"])


def peft_tensors(base: BaseModel) -> dict[str, Tensor]:
    """All matrices in half precision with peft's names; alpha / rank is multiplied into the second
    one, because diffusers before 0.34 assumes alpha = rank."""
    networks: list[tuple[str, nn.Module]] = [("unet.", base.unet)]
    for number, tower in enumerate(base.text_towers):
        networks.append(
            (f"text_encoder{f'_{number + 1}' if number else ''}.text_model.", tower.encoder)
        )
    tensors: dict[str, Tensor] = {}
    for prefix, module in networks:
        for name, layer in _layers(module):
            scaled = _matrix(layer.lora_B) * layer.scaling[ADAPTER]
            tensors[f"{prefix}{name}.lora_A.weight"] = _to_half(_matrix(layer.lora_A))
            tensors[f"{prefix}{name}.lora_B.weight"] = _to_half(scaled)
    return tensors


def _kohya_prefixes(base: BaseModel) -> list[tuple[nn.Module, str]]:
    texts = zip(base.text_towers, TEXT_PREFIXES[base.family], strict=True)
    return [
        (base.unet, "lora_unet_"),
        *((tower.encoder, f"{prefix}text_model_") for tower, prefix in texts),
    ]


def _layers(module: nn.Module) -> Iterator[tuple[str, LoraLayer]]:
    """The LoRA layers by name, without transformers 4's prefix text_model."""
    for name, layer in module.named_modules():
        if isinstance(layer, LoraLayer):
            yield name.removeprefix("text_model."), layer


def _matrix(parts: nn.ModuleDict) -> Tensor:
    weight = parts[ADAPTER].weight
    assert isinstance(weight, Tensor)
    return weight


def _to_half(weight: Tensor) -> Tensor:
    return weight.detach().to("cpu", torch.float16).contiguous()
