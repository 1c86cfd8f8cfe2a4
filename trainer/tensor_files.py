"""Tensors written without a second copy of them in memory."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from ..core.files import appearing


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write a safetensors file, whole or not at all; its header holds `facts`."""
    with appearing(path) as file:
        save_file(dict(tensors), file.name, dict(facts))
