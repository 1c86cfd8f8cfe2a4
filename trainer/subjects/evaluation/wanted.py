"""What is to be evaluated, as one value."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import CLIPTokenizer

from ..adapted import Adapted
from ..base_model import BaseModel
from ..load import load_trained
from ..open_base import open_base
from .judge import Spelling
from .pictures import Drawing
from .standard import Eyes

Told = Callable[[str, int, int], None]  # what is being done, (done, of)


@dataclass(frozen=True)
class Wanted:
    """`folder`: of what is written. `most`: real photos of each class. `limit`: the share of
    pictures that may repeat training photos, in excess, of a step that is chosen."""

    folder: Path
    drawing: Drawing
    eyes: Eyes
    most: int = 40
    limit: float = 0.1
    spelling: Spelling | None = None


@dataclass(frozen=True)
class BaseFile:
    """Where a base model is, and where to compute with it."""

    path: Path
    tokenizer: CLIPTokenizer
    device: str = "cpu"

    def fresh(self) -> BaseModel:
        """The base as it was trained; what changes one leaves the next alone."""
        return open_base(self.path, self.tokenizer).on(self.device)

    def load(self, path: Path) -> Adapted:
        """A fresh base with what a trained file holds."""
        adapted = load_trained(path, self.fresh())
        adapted.base.on(self.device)
        return adapted
