"""Between a ControlNet and its file: the original layout, which ComfyUI and AUTOMATIC1111 read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diffusers.models.controlnets.controlnet import ControlNetModel
from manyshot.core.errors import InputError
from manyshot.core.palettes import palette_text
from manyshot.core.tiny_sizes import IMAGE_SIZE, Sizes
from manyshot.trainer.divergence import check_finite
from manyshot.trainer.stable_diffusion.architecture import build_controlnet, build_unet
from manyshot.trainer.stable_diffusion.keys import CONTROLNET, controlnet_modules, original_unet_key
from manyshot.trainer.stable_diffusion.tiny_checkpoint import NAME
from manyshot.trainer.tensor_files import write_tensors
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from .export_checkpoint import content_hash

Kind = Literal["segmentation", "canny"]
LICENCE = "CC BY-SA 4.0"  # that of the pictures it learned from


@dataclass(frozen=True)
class ControlNetFacts:
    """What a ControlNet's file tells of it. `base`: the base model's `content_hash`."""

    kind: Kind
    base: str
    training: Mapping[str, object]


def controlnet_tensors(controlnet: ControlNetModel, sizes: Sizes) -> dict[str, Tensor]:
    """All tensors in half precision under their original names."""
    modules = controlnet_modules(sizes)
    return {
        original_unet_key(key, modules, CONTROLNET): value.detach().cpu().half().contiguous()
        for key, value in controlnet.state_dict().items()
    }


def export_controlnet(
    path: Path, controlnet: ControlNetModel, sizes: Sizes, facts: ControlNetFacts
) -> None:
    """Write the file with metadata: which base it belongs to, and what it wants to be shown."""
    tensors = controlnet_tensors(controlnet, sizes)
    metadata = {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": "stable-diffusion-v1/controlnet",
        "modelspec.title": f"{NAME} {facts.kind}",
        "modelspec.resolution": f"{IMAGE_SIZE}x{IMAGE_SIZE}",
        "modelspec.license": LICENCE,
        "modelspec.hash_sha256": f"0x{content_hash(tensors)}",
        "manyshot.control": facts.kind,
        "manyshot.control_image": _describe_control(facts.kind),
        "manyshot.base_sha256": f"0x{facts.base}",
        "manyshot.training": json.dumps(facts.training),
    }
    check_finite(path, tensors)
    write_tensors(path, tensors, metadata)


def load_controlnet(path: Path, sizes: Sizes) -> ControlNetModel:
    """The ControlNet of an exported file, in single precision.

    Raises InputError when the file is missing, damaged, or not a ControlNet of these sizes.
    """
    if not path.is_file():
        raise InputError(f"The ControlNet {path} does not exist.")
    controlnet, modules = build_controlnet(build_unet(sizes)), controlnet_modules(sizes)
    try:
        tensors = load_file(path)
        names = {
            key: original_unet_key(key, modules, CONTROLNET) for key in controlnet.state_dict()
        }
        controlnet.load_state_dict({key: tensors[name].float() for key, name in names.items()})
    except (KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{path} is not a ControlNet of {NAME}: {error}.") from None
    return controlnet.eval().requires_grad_(False)


def _describe_control(kind: Kind) -> str:
    return palette_text() if kind == "segmentation" else "white edges on black, one pixel wide"
