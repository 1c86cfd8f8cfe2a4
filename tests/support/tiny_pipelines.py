"""Stable Diffusion 1 and XL with their own blocks and few, random weights."""

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from manyshot.trainer.subjects.base_model import Family
from manyshot.trainer.subjects.families import PARTS, Part
from manyshot.trainer.subjects.single_file import PIPELINES, tokenizers

SIDE = 64  # pixels
_VAE = {"block_out_channels": [32] * 4, "layers_per_block": 1, "norm_num_groups": 8}
_TEXT = {"intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 2}
_SMALLER: dict[Family, dict[str, dict[str, Any]]] = {
    "sd1": {
        "unet": {"block_out_channels": [32, 32, 64, 64], "cross_attention_dim": 32},
        "vae": _VAE,
        "text_encoder": {**_TEXT, "hidden_size": 32},
        "scheduler": {},
    },
    "sdxl": {
        "unet": {
            "block_out_channels": [32, 32, 64],
            "transformer_layers_per_block": [1, 1, 2],
            "cross_attention_dim": 32 + 64,
            "attention_head_dim": [1, 2, 4],
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + 64,
        },
        "vae": _VAE,
        "text_encoder": {**_TEXT, "hidden_size": 32, "projection_dim": 32},
        "text_encoder_2": {**_TEXT, "hidden_size": 64, "projection_dim": 64},
        "scheduler": {},
    },
}


def small_parts(family: Family, **schedule: Any) -> dict[str, Part]:
    """The family's parts with small widths, to stand in PARTS for the real ones."""
    smaller = _SMALLER[family]
    smaller["unet"]["sample_size"] = SIDE // 8
    found = {
        name: (library, kind, {**values, **smaller[name]})
        for name, (library, kind, values) in PARTS[family].items()
    }
    library, kind, values = found["scheduler"]
    return {**found, "scheduler": (library, kind, {**values, **schedule})}


def build(family: Family, parts: dict[str, Part], tokenizer: transformers.CLIPTokenizer) -> Any:
    """A pipeline with random weights, the same ones at every call."""
    torch.manual_seed(0)
    made = {name: _part(*part) for name, part in parts.items()}
    names = tokenizers(family, tokenizer)
    extra = {"safety_checker": None, "requires_safety_checker": False}
    if family == "sd1":
        return PIPELINES[family](**made, **names, **extra, feature_extractor=None)
    return PIPELINES[family](**made, **names)


def _part(library: str, kind: str, values: dict[str, Any]) -> Any:
    if library == "diffusers":
        return getattr(diffusers, kind).from_config(values)
    return getattr(transformers, kind)(transformers.CLIPTextConfig(**values))


def save_folder(folder: Path, pipeline: Any) -> Path:
    """A diffusers folder."""
    pipeline.save_pretrained(folder)
    return folder
