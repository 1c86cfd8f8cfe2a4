"""Weighted words as a conditioning: ComfyUI's weighting, or the WebUI's."""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import InputError
from ..core.webui_prompt.attention import chunks
from ..core.webui_prompt.from_comfy import comfy_text

if TYPE_CHECKING:
    from torch import Tensor

Weighting = Literal["comfyui", "webui"]
ONE_ENCODER = ("l", "h")  # ComfyUI's names of the text encoders of SD 1 and SD 2
Conditioning = list[list[Any]]


def encode(clip: Any, text: str, weighting: Weighting) -> Conditioning:
    """The text's chunks, one behind the other, each encoded by itself."""
    from nodes import ConditioningConcat

    named = embedding_names()
    texts = [comfy_text(chunk, named) for chunk in chunks(text)]
    encode_chunk = _by_comfyui if weighting == "comfyui" else _by_webui
    return reduce(
        lambda a, b: ConditioningConcat().concat(a, b)[0], [encode_chunk(clip, t) for t in texts]
    )


def embedding_names() -> dict[str, str]:
    """The embeddings of this server: the name in prompts, and with its folder."""
    from folder_paths import get_filename_list

    files = [file.replace("\\", "/").rpartition(".")[0] for file in get_filename_list("embeddings")]
    return {file.rpartition("/")[2].lower(): file for file in files}


def _by_comfyui(clip: Any, text: str) -> Conditioning:
    """w (z - z_empty) + z_empty for each vector z, with z_empty that of the empty prompt."""
    from nodes import CLIPTextEncode

    return CLIPTextEncode().encode(clip, text)[0]


def _by_webui(clip: Any, text: str) -> Conditioning:
    """w z for each vector z, then scaled so that the mean of the chunk's numbers is as before
    (the WebUI's emphasis "Original"). Raises InputError for models with another text encoder."""
    tokens = clip.tokenize(text)
    if len(tokens) != 1 or not set(tokens) <= set(ONE_ENCODER):
        raise InputError(
            "The weighting 'webui' needs the text encoder of SD 1.x or SD 2.x, which the "
            "connected model does not have. Choose 'comfyui'."
        )
    ((name, sections),) = tokens.items()
    bare = {name: [[(token, 1.0) for token, _ in section] for section in sections]}
    weights = [[weight for _, weight in section] for section in sections]
    encoded = clip.encode_from_tokens_scheduled(bare)
    return [[apply_emphasis(vectors, weights), values] for vectors, values in encoded]


def apply_emphasis(vectors: "Tensor", weights: Sequence[Sequence[float]]) -> "Tensor":
    """`vectors` (1, sections * tokens, channels) times `weights` (sections, tokens), each section
    brought back to its mean."""
    import torch

    chunks = []
    sections = vectors.chunk(len(weights), dim=1)
    for section, factors in zip(sections, weights, strict=True):
        scaled = section * torch.tensor(factors).to(section)[None, :, None]
        neutral = all(factor == 1 for factor in factors)
        chunks.append(section if neutral else scaled * (section.mean() / scaled.mean()))
    return torch.cat(chunks, dim=1)
