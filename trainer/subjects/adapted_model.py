"""A base model with trainable parts: what Textual Inversion, LoRA and DreamBooth have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from .base_model import BaseModel, TextEmbeddings, encode_text
from .token_embeddings import Token, prompt_ids


@dataclass(frozen=True)
class AdaptedModel:
    """`learning`: the trainable modules, by the name of their learning rate ("unet", "text").

    `inverted`: Textual Inversion's word for `vectors` new vectors; empty for other methods, which
    use the tokenizer's own tokens. `write`: writes the finished file with metadata. The base is
    modified in place: open a fresh one for another subject.
    """

    base: BaseModel
    inverted: str
    vectors: int
    learning: Mapping[str, nn.Module]
    write: Callable[[Path, Mapping[str, str]], None]

    def word(self, token: Token) -> str:
        """How training prompts refer to the subject."""
        return self.inverted or f"{token.word} {token.noun}"

    @property
    def text_learns(self) -> bool:
        """Whether the text encoders or their embeddings are trained."""
        return "text" in self.learning

    @property
    def parameters(self) -> dict[str, list[nn.Parameter]]:
        """The trainable parameters, by the name of their learning rate."""
        return {
            name: [p for p in module.parameters() if p.requires_grad]
            for name, module in self.learning.items()
        }

    def encode(self, prompts: Sequence[str]) -> TextEmbeddings:
        """Text embeddings of prompts, on the UNet's device."""
        ids = prompt_ids(self.base, prompts, self.inverted, self.vectors)
        device = self.base.unet.device
        return encode_text(self.base, [tokens.to(device) for tokens in ids])
