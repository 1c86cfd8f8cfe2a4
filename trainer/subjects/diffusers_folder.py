"""Open a diffusers folder of Stable Diffusion 1.x or XL: weights only, no code."""

from pathlib import Path
from typing import Any

import torch

from ...core.errors import InputError
from ...core.json_text import read_json
from .base_model import Family
from .families import PARTS
from .single_file import PIPELINES, UNUSED

INDEX = "model_index.json"


def read_folder(path: Path) -> tuple[Family, Any]:
    """The family of a diffusers folder, and its pipeline in single precision.

    Raises InputError for another kind of folder, pickled weights, or custom code.
    """
    index = _index(path)
    family = _family(path, index)
    strange = [name for name in PARTS[family] if not _is_library(index.get(name))]
    if strange:
        raise InputError(
            f"{path / INDEX} takes {strange[0]!r} from neither diffusers nor transformers; a "
            "model's own code is never run."
        )
    try:
        pipeline = PIPELINES[family].from_pretrained(
            path,
            local_files_only=True,
            use_safetensors=True,
            torch_dtype=torch.float32,
            **UNUSED[family],
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"The diffusers folder {path} cannot be opened: {reason}") from None
    return family, pipeline


def _index(path: Path) -> dict[str, Any]:
    try:
        index = read_json(path / INDEX)
    except (OSError, ValueError):
        raise InputError(
            f"{path} is not a diffusers folder: it has no {INDEX} that can be read. Pass the "
            "folder that contains it, or a .safetensors file."
        ) from None
    if not isinstance(index, dict):
        raise InputError(f"{path / INDEX} is not a JSON object of components.")
    return index


def _family(path: Path, index: dict[str, Any]) -> Family:
    kind = index.get("_class_name")
    for family, pipeline in PIPELINES.items():
        if kind == pipeline.__name__:
            return family
    raise InputError(f"{path} is a {kind}; subjects are trained on SD 1.x and SDXL.")


def _is_library(entry: Any) -> bool:
    return isinstance(entry, list) and entry[:1] in (["diffusers"], ["transformers"])
