"""A subject's token as new vectors in the text encoders."""

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

COMMON = 40_000  # CLIP's tokens are ordered by frequency; "sks" is number 48,136


@dataclass(frozen=True)
class Token:
    """A subject's word in prompts, and the noun for what it is ("cell", "dog")."""

    word: str
    noun: str


class ExtendedEmbedding(nn.Module):
    """A frozen token embedding, extended by trainable `vectors` (n, width) with the next ids.

    It replaces the text encoder's embedding, so nothing else needs to change.
    """

    def __init__(self, frozen: nn.Embedding, vectors: Tensor) -> None:
        super().__init__()
        self.frozen = frozen
        self.vectors = nn.Parameter(vectors.clone())

    @property
    def weight(self) -> Tensor:
        """The frozen part; libraries read its dtype and device."""
        return self.frozen.weight

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors (n, 77, width) of ids (n, 77)."""
        first = self.frozen.num_embeddings
        learned = ids >= first
        frozen = self.frozen(ids.clamp(max=first - 1))
        return torch.where(learned[..., None], self.vectors[(ids - first).clamp(min=0)], frozen)


def extend_embeddings(base: BaseModel, vectors: Sequence[Tensor]) -> list[ExtendedEmbedding]:
    """Append new vectors (one tensor for each text encoder) to the token embeddings."""
    embeddings = []
    for tower, new_vectors in zip(base.text_towers, vectors, strict=True):
        embedding: Any = tower.encoder.get_input_embeddings()
        if isinstance(embedding, ExtendedEmbedding):
            embedding = embedding.frozen
        extended = ExtendedEmbedding(embedding, new_vectors.to(embedding.weight))
        tower.encoder.set_input_embeddings(extended)
        embeddings.append(extended)
    return embeddings


def init_vectors(base: BaseModel, noun: str, count: int, seed: int) -> list[Tensor]:
    """`count` vectors for each text encoder, initialised from the noun's with a little noise.

    Gal et al. 2022 ("An Image is Worth One Word"), section 4.1, start from a coarse description of
    the object. The tokens of a longer noun are cycled; the noise lets equal vectors diverge.
    """
    generator = torch.Generator().manual_seed(seed)
    vectors = []
    for tower in base.text_towers:
        embedding: Any = tower.encoder.get_input_embeddings()
        weight = embedding.weight.detach().float().cpu()
        noun_rows = weight[plain_ids(tower.tokenizer, noun)]
        rows = noun_rows[torch.arange(count) % len(noun_rows)]
        noise = torch.randn(rows.shape, generator=generator) * noun_rows.std()
        vectors.append(rows + 0.02 * noise)
    return vectors


def plain_ids(tokenizer: CLIPTokenizer, text: str) -> list[int]:
    """The token ids of a text without start and end tokens."""
    return tokenizer(text, add_special_tokens=False)["input_ids"]  # pyright: ignore


def prompt_ids(base: BaseModel, prompts: Sequence[str], word: str, count: int) -> list[Tensor]:
    """Token ids (n, 77) for each text encoder; `word` stands for `count` new vectors, if any.

    As in ComfyUI's `embedding:word`, the text before and after it is tokenized separately.
    """
    return [_ids(tower.tokenizer, tower, prompts, word, count) for tower in base.text_towers]


def _ids(
    tokenizer: CLIPTokenizer, tower: Any, prompts: Sequence[str], word: str, count: int
) -> Tensor:
    embedding: Any = tower.encoder.get_input_embeddings()
    first = (
        embedding.frozen if isinstance(embedding, ExtendedEmbedding) else embedding
    ).num_embeddings
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
    """Raises InputError for a common word, or one that cannot be a file name."""
    if not word.replace("-", "").replace("_", "").isalnum() or not word.isascii():
        raise InputError(
            f"The token {word!r} may contain only letters, digits, '-' and '_': it becomes a "
            "file name and a word in prompts."
        )
    for tower in base.text_towers:
        ids = plain_ids(tower.tokenizer, word)
        if len(ids) == 1 and ids[0] < COMMON:
            raise InputError(
                f"The token {word!r} is a word that the model already knows; it would lose "
                f"its meaning. Choose an unknown one, such as '{word}-m1'."
            )
