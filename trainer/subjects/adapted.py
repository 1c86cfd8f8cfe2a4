"""A base model of which a part learns: what Textual Inversion, LoRA and DreamBooth share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from .base_model import BaseModel, Text, hear
from .words import Token, prompt_ids


@dataclass(frozen=True)
class Adapted:
    """`learning`: modules whose parameters learn, by the name of their rate ("unet", "text").

    `inverted`: the word that stands for `vectors` new vectors, of Textual Inversion; of the other
    methods it is empty, and tokens are read as the tokenizer does. `write`: the finished file,
    with metadata. The base is changed for good: open it anew for another subject.
    """

    base: BaseModel
    inverted: str
    vectors: int
    learning: Mapping[str, nn.Module]
    write: Callable[[Path, Mapping[str, str]], None]

    def word(self, token: Token) -> str:
        """What prompts of the trainer call a subject by."""
        return self.inverted or f"{token.word} {token.noun}"

    @property
    def text_learns(self) -> bool:
        """Whether what the UNet hears changes while training."""
        return "text" in self.learning

    @property
    def parameters(self) -> dict[str, list[nn.Parameter]]:
        """The parameters that learn, by the name of their rate."""
        return {
            name: [p for p in module.parameters() if p.requires_grad]
            for name, module in self.learning.items()
        }

    def hear(self, prompts: Sequence[str]) -> Text:
        """What the UNet hears of prompts."""
        ids = prompt_ids(self.base, prompts, self.inverted, self.vectors)
        device = self.base.unet.device
        return hear(self.base, [own.to(device) for own in ids])
