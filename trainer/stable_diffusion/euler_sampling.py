"""Drawing with the networks themselves, step for step as ComfyUI's KSampler (euler, normal)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ...core.tiny_sizes import LATENT_CHANNELS, LATENT_SIZE
from ..training import place
from .architecture import build_schedule, tokenize

Find = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of scaled latents (2n, 4, h, w), a time and its noise level: the noise in them, first with the
prompts, then without."""


@dataclass(frozen=True)
class Networks:
    """All that a prompt needs to become a picture."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    vae: AutoencoderTiny

    def on(self, device: str) -> "Networks":
        """The same networks, moved to a device."""
        for module in (self.text_encoder, self.unet, self.vae):
            place(module, device)
        return self


@dataclass(frozen=True)
class Control:
    """What a ControlNet is shown: images (n, 3, 128, 128) from 0 to 1, one for each prompt."""

    controlnet: ControlNetModel
    images: Tensor
    strength: float = 1.0


def normal_sigmas(steps: int, alphas: Tensor) -> Tensor:
    """Noise levels (steps + 1) from the strongest to 0, evenly spaced in time ("normal").

    `alphas` (1000): alpha-bar of the schedule.
    """
    log_sigmas = ((1 - alphas) / alphas).sqrt().log()
    times = torch.linspace(len(alphas) - 1, 0, steps)
    low, high = times.floor().long(), times.ceil().long()
    between = torch.lerp(log_sigmas[low], log_sigmas[high], times.frac())
    return torch.cat([between.exp(), torch.zeros(1)])


def nearest_times(sigmas: Tensor, alphas: Tensor) -> Tensor:
    """The schedule's step (0 to 999) whose noise is nearest to each level, by its logarithm."""
    log_sigmas = ((1 - alphas) / alphas).sqrt().log()
    return (sigmas.log() - log_sigmas[:, None]).abs().argmin(dim=0)


@torch.no_grad()
def euler(find: Find, noise: Tensor, steps: int, cfg: float, alphas: Tensor) -> Tensor:
    """Latents (n, 4, h, w) from standard normal `noise`.

    Algorithm 2 of Karras et al. 2022 without churn, on the noise prediction, with classifier-free
    guidance of strength `cfg`.
    """
    alphas = alphas.cpu()
    sigmas = normal_sigmas(steps, alphas).to(noise.device)
    times = nearest_times(sigmas[:-1].cpu(), alphas).to(noise.device)
    x = noise * (1 + sigmas[0] ** 2).sqrt()
    for time, sigma, following in zip(times, sigmas[:-1], sigmas[1:], strict=True):
        scaled = (x / (1 + sigma**2).sqrt()).repeat(2, 1, 1, 1)
        conditional, without = find(scaled, time, sigma).chunk(2)
        x = x + (without + cfg * (conditional - without)) * (following - sigma)
    return x


def residuals(control: Control, scaled: Tensor, time: Tensor, text: Tensor) -> dict[str, Any]:
    """What the ControlNet adds inside the UNet, as its arguments; `scaled` (2n, 4, h, w).

    It acts with the prompt and without it.
    """
    images = control.images.to(scaled).repeat(2, 1, 1, 1)
    net, strength = control.controlnet, control.strength
    down, middle = net(scaled, time, text, images, strength, return_dict=False)
    return {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}


@torch.no_grad()
def encode_prompts(networks: Networks, prompts: Sequence[str]) -> Tensor:
    """Text states (n, 77, width)."""
    ids = tokenize(networks.tokenizer, prompts).to(networks.text_encoder.device)
    return networks.text_encoder(ids).last_hidden_state


@torch.no_grad()
def draw(
    networks: Networks,
    prompts: Sequence[str],
    seed: int,
    negative: str = "",
    steps: int = 20,
    cfg: float = 3.0,
    control: Control | None = None,
) -> Tensor:
    """Pixels (n, 3, 128, 128) from -1 to 1, on the CPU: what one KSampler batch would give."""
    shape = (len(prompts), LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    text = encode_prompts(networks, prompts)
    both = torch.cat([text, encode_prompts(networks, [negative]).expand_as(text)])

    def find(scaled: Tensor, time: Tensor, _: Tensor) -> Tensor:
        added = {} if control is None else residuals(control, scaled, time, both)
        return networks.unet(scaled, time, both, **added).sample

    latents = euler(find, noise.to(text.device), steps, cfg, build_schedule().alphas_cumprod)
    return networks.vae.decoder(latents).clamp(-1, 1).cpu()
