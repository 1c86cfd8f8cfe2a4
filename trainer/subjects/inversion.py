"""Textual Inversion: only new token vectors in the text encoders are trained.

Gal et al. 2022, "An Image is Worth One Word".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ..divergence import check_finite
from ..tensor_files import write_tensors
from .adapted_model import AdaptedModel
from .base_model import BaseModel
from .token_embeddings import ExtendedEmbedding, Token, extend_embeddings, init_vectors

KEYS = {"sd1": ("emb_params",), "sdxl": ("clip_l", "clip_g")}  # the names ComfyUI and A1111 read


def prepare_inversion(base: BaseModel, token: Token, vectors: int, seed: int = 0) -> AdaptedModel:
    """Add `vectors` trainable vectors, initialised from the noun's; the token stands for them."""
    return load_vectors(base, token.word, init_vectors(base, token.noun, vectors, seed))


def load_vectors(base: BaseModel, word: str, vectors: Sequence[Tensor]) -> AdaptedModel:
    """Add these vectors (n, width) to the base, a tensor for each text encoder."""
    embeddings = extend_embeddings(base, vectors)
    for tower in base.text_towers:
        tower.encoder.requires_grad_(False)
    for embedding in embeddings:
        embedding.vectors.requires_grad_(True)

    def write(path: Path, facts: Mapping[str, str]) -> None:
        tensors = embedding_tensors(base, embeddings)
        check_finite(path, tensors)
        write_tensors(path, tensors, facts)

    learning = {"text": nn.ModuleList(embeddings)}
    return AdaptedModel(base, word, len(vectors[0]), learning, write)


def embedding_tensors(base: BaseModel, embeddings: list[ExtendedEmbedding]) -> dict[str, Tensor]:
    """The vectors (n, width) under the tensor names of embedding files."""
    keys = KEYS[base.family]
    return {
        key: embedding.vectors.detach().to("cpu", torch.float32).contiguous()
        for key, embedding in zip(keys, embeddings, strict=True)
    }
