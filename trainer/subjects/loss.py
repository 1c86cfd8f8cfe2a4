"""What training wants small: the weighted error of the noise that the UNet finds."""

import torch
from torch import Tensor

from .adapted import Adapted
from .base_model import find_noise
from .lessons import Ears, Step


def step_loss(adapted: Adapted, ears: Ears, step: Step, gamma: float | None) -> Tensor:
    """The weighted squared error of the noise (or velocity) that the UNet finds, one number."""
    base, device = adapted.base, adapted.base.unet.device
    times = step.times.to(device)
    alphas = base.alphas.to(device)[times].view(-1, 1, 1, 1)
    latents, noise = step.latents.to(device), step.noise.to(device)
    noisy = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
    velocity = base.prediction == "v_prediction"
    wanted = alphas.sqrt() * noise - (1 - alphas).sqrt() * latents if velocity else noise
    found = find_noise(base, noisy, times, ears.hear(step.prompts))
    errors = (found.float() - wanted).square().mean(dim=(1, 2, 3))
    weights = snr_weights(alphas.flatten(), gamma, velocity) * step.weights.to(device)
    return (weights * errors).mean()


def snr_weights(alphas: Tensor, gamma: float | None, velocity: bool) -> Tensor:
    """min(SNR, gamma) / SNR, and / (SNR + 1) for velocity; 1 without gamma.

    Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", section 3.4.
    """
    if gamma is None:
        return torch.ones_like(alphas)
    ratio = alphas / (1 - alphas)
    return ratio.clamp(max=gamma) / (ratio + 1 if velocity else ratio)
