"""The files of a LoRA: in the keys of kohya's sd-scripts, which ComfyUI and AUTOMATIC1111 read, and
in those of peft, as `load_lora_weights` of diffusers' pipelines reads them."""

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
    """Write the file that servers read; kohya's own header has rank and alpha."""
    tensors = kohya_tensors(base)
    check_finite(path, tensors)
    rank, alpha = rank_and_alpha(tensors)
    kohya = {"ss_network_dim": str(rank), "ss_network_alpha": f"{alpha:g}"}
    kohya["ss_network_module"] = "networks.lora"
    write_tensors(path, tensors, {**facts, **kohya})


def write_peft(base: BaseModel, path: Path, facts: Mapping[str, str]) -> None:
    """Write a folder beside `path` for diffusers; it is no file of subjects, and says so."""
    check_finite(path, kohya_tensors(base))
    folder = path.with_name(f"{path.stem}-peft")
    plain = {key: value for key, value in facts.items() if key != KEY}
    write_tensors(folder / PEFT_FILE, peft_tensors(base), {**plain, "format": "pt"})


def kohya_tensors(base: BaseModel) -> dict[str, Tensor]:
    """All matrices in half precision under kohya's names, with the alpha of each layer."""
    found: dict[str, Tensor] = {}
    for module, prefix in _kohya_prefixes(base):
        for name, layer in _layers(module):
            key = prefix + name.replace(".", "_")
            found[f"{key}.lora_down.weight"] = _stored(_matrix(layer.lora_A))
            found[f"{key}.lora_up.weight"] = _stored(_matrix(layer.lora_B))
            found[f"{key}.alpha"] = torch.tensor(float(layer.lora_alpha[ADAPTER]))
    return found


def rank_and_alpha(tensors: Mapping[str, Tensor]) -> tuple[int, float]:
    """Of kohya's tensors; every layer has the same."""
    down = next(key for key in tensors if key.endswith(".lora_down.weight"))
    alpha = tensors[down.replace(".lora_down.weight", ".alpha")]
    return tensors[down].shape[0], float(alpha)


def set_kohya_tensors(base: BaseModel, tensors: Mapping[str, Tensor]) -> None:
    """Fill the LoRA layers from what `kohya_tensors` gave."""
    for module, prefix in _kohya_prefixes(base):
        for name, layer in _layers(module):
            key = prefix + name.replace(".", "_")
            _matrix(layer.lora_A).data.copy_(tensors[f"{key}.lora_down.weight"])
            _matrix(layer.lora_B).data.copy_(tensors[f"{key}.lora_up.weight"])


def peft_tensors(base: BaseModel) -> dict[str, Tensor]:
    """All matrices in half precision under peft's names, alpha / rank multiplied into the second:
    diffusers before 0.34 takes alpha to be the rank."""
    parts: list[tuple[str, nn.Module]] = [("unet.", base.unet)]
    for number, part in enumerate(base.texts):
        parts.append(
            (f"text_encoder{f'_{number + 1}' if number else ''}.text_model.", part.encoder)
        )
    found: dict[str, Tensor] = {}
    for prefix, module in parts:
        for name, layer in _layers(module):
            scaled = _matrix(layer.lora_B) * layer.scaling[ADAPTER]
            found[f"{prefix}{name}.lora_A.weight"] = _stored(_matrix(layer.lora_A))
            found[f"{prefix}{name}.lora_B.weight"] = _stored(scaled)
    return found


def _kohya_prefixes(base: BaseModel) -> list[tuple[nn.Module, str]]:
    texts = zip(base.texts, TEXT_PREFIXES[base.family], strict=True)
    return [
        (base.unet, "lora_unet_"),
        *((part.encoder, f"{prefix}text_model_") for part, prefix in texts),
    ]


def _layers(module: nn.Module) -> Iterator[tuple[str, LoraLayer]]:
    """The adapted layers by name; transformers 4 begins its own with text_model."""
    for name, layer in module.named_modules():
        if isinstance(layer, LoraLayer):
            yield name.removeprefix("text_model."), layer


def _matrix(parts: nn.ModuleDict) -> Tensor:
    weight = parts[ADAPTER].weight
    assert isinstance(weight, Tensor)
    return weight


def _stored(weight: Tensor) -> Tensor:
    return weight.detach().to("cpu", torch.float16).contiguous()
