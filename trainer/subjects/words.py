"""The words of a subject: its token as new vectors inside the text encoders."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import CLIPTokenizer

from ...core.errors import InputError
from ...core.tiny_sizes import SD1_TOKENS
from .base_model import BaseModel

COMMON = 40_000  # CLIP's tokens are in the order of their frequency; "sks" is number 48,136


@dataclass(frozen=True)
class Token:
    """A subject's word in prompts, and the noun for what it is ("cell", "dog")."""

    word: str
    noun: str


class Embedding(nn.Module):
    """A frozen token embedding with `vectors` (n, width) that learn, under the ids after its own.

    It stands in the text encoder's place for it, so that nothing else need know.
    """

    def __init__(self, known: nn.Embedding, vectors: Tensor) -> None:
        super().__init__()
        self.known = known
        self.vectors = nn.Parameter(vectors.clone())

    @property
    def weight(self) -> Tensor:
        """The frozen part; libraries look here for type and place."""
        return self.known.weight

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors (n, 77, width) of ids (n, 77)."""
        first = self.known.num_embeddings
        learned = ids >= first
        found = self.known(ids.clamp(max=first - 1))
        return torch.where(learned[..., None], self.vectors[(ids - first).clamp(min=0)], found)


def plug_in(base: BaseModel, vectors: Sequence[Tensor]) -> list[Embedding]:
    """Put new vectors (one tensor for each text encoder) behind the known tokens."""
    found = []
    for part, own in zip(base.texts, vectors, strict=True):
        known: Any = part.encoder.get_input_embeddings()
        if isinstance(known, Embedding):
            known = known.known
        embedding = Embedding(known, own.to(known.weight))
        part.encoder.set_input_embeddings(embedding)
        found.append(embedding)
    return found


def noun_vectors(base: BaseModel, noun: str, count: int, seed: int) -> list[Tensor]:
    """`count` vectors for each text encoder that begin as the noun's own, with a little noise.

    Gal et al. 2022 ("An Image is Worth One Word"), section 4.1, begin with a coarse description of
    the object. A noun of several tokens gives them in turn; the noise lets equal ones part.
    """
    generator = torch.Generator().manual_seed(seed)
    found = []
    for part in base.texts:
        known: Any = part.encoder.get_input_embeddings()
        weight = known.weight.detach().float().cpu()
        own = weight[plain_ids(part.tokenizer, noun)]
        rows = own[torch.arange(count) % len(own)]
        noise = torch.randn(rows.shape, generator=generator) * own.std()
        found.append(rows + 0.02 * noise)
    return found


def plain_ids(tokenizer: CLIPTokenizer, text: str) -> list[int]:
    """The tokens of a text without start and end."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]  # pyright: ignore


def prompt_ids(base: BaseModel, prompts: Sequence[str], word: str, count: int) -> list[Tensor]:
    """Token ids (n, 77) for each text encoder; `word` stands for `count` new vectors, if any.

    As ComfyUI reads `embedding:word`: what is before and behind it is read for itself.
    """
    return [_ids(part.tokenizer, part, prompts, word, count) for part in base.texts]


def _ids(
    tokenizer: CLIPTokenizer, part: Any, prompts: Sequence[str], word: str, count: int
) -> Tensor:
    known: Any = part.encoder.get_input_embeddings()
    first = (known.known if isinstance(known, Embedding) else known).num_embeddings
    new = list(range(first, first + count))
    return torch.tensor([_prompt(tokenizer, prompt, word, new) for prompt in prompts])


def _prompt(tokenizer: CLIPTokenizer, prompt: str, word: str, new: list[int]) -> list[int]:
    texts = re.split(rf"(?<![\w-]){re.escape(word)}(?![\w-])", prompt) if new else [prompt]
    pieces = [plain_ids(tokenizer, text) for text in texts]
    ids = pieces[0]
    for piece in pieces[1:]:
        ids = [*ids, *new, *piece]
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert isinstance(start, int)
    assert isinstance(end, int)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end
    whole = [start, *ids[: SD1_TOKENS - 2], end]
    return [*whole, *[int(padding)] * (SD1_TOKENS - len(whole))]  # pyright: ignore


def check_word(base: BaseModel, word: str) -> None:
    """Raises InputError for a word that prompts use already, or that cannot be a file's name."""
    if not word.replace("-", "").replace("_", "").isalnum() or not word.isascii():
        raise InputError(
            f"The token {word!r} may contain only letters, digits, '-' and '_': it becomes a "
            "file name and a word in prompts."
        )
    for part in base.texts:
        ids = plain_ids(part.tokenizer, word)
        if len(ids) == 1 and ids[0] < COMMON:
            raise InputError(
                f"The token {word!r} is a word that the model already knows; it would lose "
                f"its meaning. Choose an unknown one, such as '{word}-m1'."
            )
