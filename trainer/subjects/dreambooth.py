"""DreamBooth: the whole UNet learns the subject, held back by pictures of its class.

Ruiz et al. 2023, "DreamBooth: Fine Tuning Text-to-Image Diffusion Models for Subject-Driven
Generation".
"""

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from .adapted import Adapted
from .base_model import BaseModel, freeze_unheard
from .checkpoint import check_writable, write_checkpoint


def tune(base: BaseModel, text: bool = False) -> Adapted:
    """The base with its UNet learning, and the text encoders too with `text`.

    Raises InputError for a base that could not be written afterwards.
    """
    check_writable(base)
    learning: dict[str, nn.Module] = {"unet": base.unet}
    if text:
        learning["text"] = nn.ModuleList(part.encoder for part in base.texts)
    for module in learning.values():
        module.requires_grad_(True)
    freeze_unheard(base)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        write_checkpoint(base, path, facts)

    return Adapted(base, "", 0, learning, write)
