"""Base models opened for training."""

from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.driver.embedded.source import find_installed
from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
from manyshot.trainer.subjects.base_model import BaseModel
from manyshot.trainer.subjects.open_base import open_base


@cache
def _read() -> BaseModel:
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI, whose tokenizer is used, is not installed: manyshot server install")
    return open_base(TINY_MODEL, load_tokenizer(source.folder / "comfy" / "sd1_tokenizer"))


def opened() -> BaseModel:
    """manyshot-tiny as it was; it is read once, and copied."""
    base = _read()
    texts = tuple(replace(part, encoder=deepcopy(part.encoder)) for part in base.text_towers)
    return replace(base, unet=deepcopy(base.unet), text_towers=texts)
