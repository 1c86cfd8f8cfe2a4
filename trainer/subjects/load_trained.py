"""Load a trained file onto its base, for inference and evaluation."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from ...core.errors import InputError
from ...core.subject_file import read_subject_file
from .adapted_model import AdaptedModel
from .base_model import BaseModel
from .inversion import KEYS, load_vectors
from .lora import prepare_lora
from .lora_files import rank_and_alpha, set_kohya_tensors
from .open_base import open_base


def load_trained(path: Path, base: BaseModel) -> AdaptedModel:
    """Apply a trained file to a fresh `base`. Raises InputError for a file of another base."""
    facts, tensors = read_subject_file(path), load_file(path)
    if facts.base_digest != base.digest:
        raise InputError(
            f"{path} was trained on {facts.base} ({facts.base_digest[:12]}), but this base "
            f"is {base.name} ({base.digest[:12]}). Open it with its own base."
        )
    if facts.method == "textual_inversion":
        return load_vectors(
            base, facts.subjects[0].token, [tensors[key] for key in KEYS[base.family]]
        )
    if facts.method == "lora":
        return _lora(base, tensors)
    tuned = open_base(path, base.text_towers[0].tokenizer)
    return AdaptedModel(tuned, "", 0, {}, lambda *_: None)


def _lora(base: BaseModel, tensors: dict[str, Tensor]) -> AdaptedModel:
    rank, alpha = rank_and_alpha(tensors)
    text = any(key.startswith("lora_te") for key in tensors)
    adapted = prepare_lora(base, rank, alpha, text)
    set_kohya_tensors(base, tensors)
    return adapted
