"""Drawing with a base model as it is now, step for step as ComfyUI's KSampler (euler, normal)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..base.sample import euler
from .adapted import Adapted
from .base_model import DOWNSCALE, BaseModel, Text, find_noise, hear, joined
from .words import prompt_ids


def draw_latents(
    base: BaseModel, text: Text, negative: Text, noise: Tensor, steps: int, guidance: float
) -> Tensor:
    """Latents (n, 4, h, w) from standard normal `noise`, for texts (n) and as many negatives."""
    both = joined([text, negative])

    def find(scaled: Tensor, time: Tensor, sigma: Tensor) -> Tensor:
        found = find_noise(base, scaled, time.expand(len(scaled)), both)
        if base.prediction == "epsilon":
            return found
        return (found + sigma * scaled) / (1 + sigma**2).sqrt()  # from the velocity

    return euler(find, noise, steps, guidance, base.alphas)


def start_noise(base: BaseModel, count: int, seed: int) -> Tensor:
    """Noise (n, 4, h, w) as a KSampler makes it from a seed, on the CPU."""
    side = base.size // DOWNSCALE
    return torch.randn(count, 4, side, side, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def draw_subject(
    adapted: Adapted,
    prompts: Sequence[str],
    seed: int,
    negative: str = "",
    steps: int = 20,
    guidance: float = 5.0,
) -> Tensor:
    """Pixels (n, 3, h, w) from -1 to 1, on the CPU."""
    base, device = adapted.base, adapted.base.unet.device
    noise = start_noise(base, len(prompts), seed).to(device)
    text, without = adapted.hear(prompts), adapted.hear([negative] * len(prompts))
    latents = draw_latents(base, text, without, noise, steps, guidance)
    return base.codec.decode(latents).cpu()


@torch.no_grad()
def draw_noun(
    base: BaseModel, noun: str, count: int, seed: int, guidance: float, batch: int = 8
) -> Tensor:
    """Latents (n, 4, h, w) of "a photo of a {noun}", on the CPU: the prior of DreamBooth."""
    device, parts = base.unet.device, []
    for first in range(0, count, batch):
        own = min(batch, count - first)
        ids = [prompt_ids(base, [text] * own, "", 0) for text in (f"a photo of a {noun}", "")]
        text, without = (hear(base, [one.to(device) for one in part]) for part in ids)
        noise = start_noise(base, own, seed + first).to(device)
        parts.append(draw_latents(base, text, without, noise, 20, guidance).cpu())
    return torch.cat(parts)
