"""Textual Inversion: the subject as new vectors in the text encoder, and nothing else.

Gal et al. 2022, "An Image is Worth One Word".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ..divergence import check_finite
from ..tensor_files import write_tensors
from .adapted import Adapted
from .base_model import BaseModel
from .words import Embedding, Token, noun_vectors, plug_in

KEYS = {"sd1": ("emb_params",), "sdxl": ("clip_l", "clip_g")}  # as ComfyUI and A1111 read them


def invert(base: BaseModel, token: Token, vectors: int, seed: int = 0) -> Adapted:
    """The base with `vectors` new vectors that begin as the noun's. The token stands for both."""
    return plug_in_vectors(base, token.word, noun_vectors(base, token.noun, vectors, seed))


def plug_in_vectors(base: BaseModel, word: str, vectors: Sequence[Tensor]) -> Adapted:
    """The base with these vectors (n, width), a tensor for each text encoder."""
    embeddings = plug_in(base, vectors)
    for part in base.texts:
        part.encoder.requires_grad_(False)
    for embedding in embeddings:
        embedding.vectors.requires_grad_(True)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        tensors = embedding_tensors(base, embeddings)
        check_finite(path, tensors)
        write_tensors(path, tensors, facts)

    learning = {"text": nn.ModuleList(embeddings)}
    return Adapted(base, word, len(vectors[0]), learning, write)


def embedding_tensors(base: BaseModel, embeddings: list[Embedding]) -> dict[str, Tensor]:
    """The vectors (n, width) under the names that embeddings have."""
    keys = KEYS[base.family]
    return {
        key: one.vectors.detach().to("cpu", torch.float32).contiguous()
        for key, one in zip(keys, embeddings, strict=True)
    }
