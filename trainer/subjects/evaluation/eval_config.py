"""The configuration of an evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transformers import CLIPTokenizer

from ..adapted_model import AdaptedModel
from ..base_model import BaseModel
from ..load_trained import load_trained
from ..open_base import open_base
from .subject_pictures import Drawing

if TYPE_CHECKING:  # types alone
    from .reference_set import FeatureExtractors
    from .scoring import TextCheck

ProgressCallback = Callable[[str, int, int], None]  # (activity, done, total)


@dataclass(frozen=True)
class EvalConfig:
    """`folder`: of the output. `most`: real photos of each class. `limit`: the excess share of
    pictures that may copy training photos in a step that is chosen."""

    folder: Path
    drawing: Drawing
    extractor: "FeatureExtractors"
    most: int = 40
    limit: float = 0.1
    text_check: "TextCheck | None" = None


@dataclass(frozen=True)
class BaseFile:
    """A base model's file, its tokenizer, and the device to load it on."""

    path: Path
    tokenizer: CLIPTokenizer
    device: str = "cpu"

    def fresh(self) -> BaseModel:
        """A newly loaded base; changes to one do not affect the next."""
        return open_base(self.path, self.tokenizer).on(self.device)

    def load(self, path: Path) -> AdaptedModel:
        """A fresh base with a trained file applied."""
        adapted = load_trained(path, self.fresh())
        adapted.base.on(self.device)
        return adapted
