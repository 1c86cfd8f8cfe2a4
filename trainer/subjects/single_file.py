"""Open a single-file checkpoint of Stable Diffusion 1.x or XL offline."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import (
    StableDiffusionXLPipeline,
)
from safetensors import safe_open
from transformers import CLIPTokenizer

from ...core.errors import InputError
from ...core.tiny_sizes import SD1_TOKENS
from .base_model import Family
from .families import PARTS

PIPELINES: dict[Family, Any] = {"sd1": StableDiffusionPipeline, "sdxl": StableDiffusionXLPipeline}
UNUSED: dict[Family, dict[str, Any]] = {
    "sd1": {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False},
    "sdxl": {"feature_extractor": None},
}
WHOLE = {"scheduler": "scheduler_config.json"}  # other names than config.json


def read_single_file(path: Path, family: Family, tokenizer: CLIPTokenizer) -> Any:
    """The pipeline of a single file, in single precision.

    diffusers would download the configuration; here it gets a folder with it. Raises InputError for
    a file that does not fit the family.
    """
    with tempfile.TemporaryDirectory() as folder:
        write_configuration(Path(folder), family, read_schedule(path))
        try:
            return PIPELINES[family].from_single_file(
                path,
                config=folder,
                local_files_only=True,
                torch_dtype=torch.float32,
                **tokenizers(family, tokenizer),
                **UNUSED[family],
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"{path} looks like Stable Diffusion {'XL' if family == 'sdxl' else '1.x'} "
                f"but cannot be opened as such: {reason}"
            ) from None


def read_schedule(path: Path) -> dict[str, Any]:
    """A single file's schedule, which the names of empty tensors tell, as in ComfyUI."""
    with safe_open(path, "pt") as file:
        keys = set(file.keys())
    schedule = {"prediction_type": "v_prediction"} if "v_pred" in keys else {}
    return schedule | ({"rescale_betas_zero_snr": True} if "ztsnr" in keys else {})


def write_configuration(folder: Path, family: Family, schedule: Mapping[str, Any]) -> None:
    """A diffusers folder of a family without weights and tokenizers."""
    index: dict[str, Any] = {"_class_name": PIPELINES[family].__name__}
    for name, (library, kind, values) in PARTS[family].items():
        index[name] = [library, kind]
        place = folder / name
        place.mkdir()
        overrides = schedule if name == "scheduler" else {}
        text = json.dumps({"_class_name": kind, **values, **overrides})
        (place / WHOLE.get(name, "config.json")).write_text(text)
    for name in tokenizers(family, None):
        index[name] = ["transformers", "CLIPTokenizer"]
    (folder / "model_index.json").write_text(json.dumps(index))


def tokenizers(family: Family, tokenizer: CLIPTokenizer | None) -> dict[str, Any]:
    """SD1's tokenizer by the names of a family; SDXL's second encoder pads with "!"."""
    if family == "sd1":
        return {"tokenizer": tokenizer}
    return {"tokenizer": tokenizer, "tokenizer_2": tokenizer and _pad_with_bang(tokenizer)}


def _pad_with_bang(tokenizer: CLIPTokenizer) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(
        tokenizer.name_or_path, pad_token="!", model_max_length=SD1_TOKENS
    )
