"""Draw with a base model exactly as ComfyUI's KSampler does (euler, normal)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..stable_diffusion.euler_sampling import euler
from .adapted_model import AdaptedModel
from .base_model import (
    DOWNSCALE,
    BaseModel,
    TextEmbeddings,
    concatenate,
    encode_text,
    predict_noise,
)
from .token_embeddings import prompt_ids


def draw_latents(
    base: BaseModel,
    text: TextEmbeddings,
    negative: TextEmbeddings,
    noise: Tensor,
    steps: int,
    guidance: float,
) -> Tensor:
    """Latents (n, 4, h, w) from standard normal `noise`, for n texts and n negatives."""
    both = concatenate([text, negative])

    def find(scaled: Tensor, time: Tensor, sigma: Tensor) -> Tensor:
        prediction = predict_noise(base, scaled, time.expand(len(scaled)), both)
        if base.prediction == "epsilon":
            return prediction
        return (prediction + sigma * scaled) / (1 + sigma**2).sqrt()  # from the velocity

    return euler(find, noise, steps, guidance, base.alphas)


def start_noise(base: BaseModel, count: int, seed: int) -> Tensor:
    """Noise (n, 4, h, w) from a seed as in KSampler, on the CPU."""
    side = base.size // DOWNSCALE
    return torch.randn(count, 4, side, side, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def draw_subject(
    adapted: AdaptedModel,
    prompts: Sequence[str],
    seed: int,
    negative: str = "",
    steps: int = 20,
    guidance: float = 5.0,
) -> Tensor:
    """Pixels (n, 3, h, w) from -1 to 1, on the CPU."""
    base, device = adapted.base, adapted.base.unet.device
    noise = start_noise(base, len(prompts), seed).to(device)
    text, unconditional = adapted.encode(prompts), adapted.encode([negative] * len(prompts))
    latents = draw_latents(base, text, unconditional, noise, steps, guidance)
    return base.codec.decode(latents).cpu()


@torch.no_grad()
def draw_noun(
    base: BaseModel, noun: str, count: int, seed: int, guidance: float, batch: int = 8
) -> Tensor:
    """Latents (n, 4, h, w) of "a photo of a {noun}", on the CPU: the prior of DreamBooth."""
    device, batches = base.unet.device, []
    for first in range(0, count, batch):
        size = min(batch, count - first)
        ids = [prompt_ids(base, [text] * size, "", 0) for text in (f"a photo of a {noun}", "")]
        text, unconditional = (
            encode_text(base, [tokens.to(device) for tokens in id_tensors]) for id_tensors in ids
        )
        noise = start_noise(base, size, seed + first).to(device)
        batches.append(draw_latents(base, text, unconditional, noise, 20, guidance).cpu())
    return torch.cat(batches)
