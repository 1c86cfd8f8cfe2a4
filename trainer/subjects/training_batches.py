"""Training batches of latent crops with prompts, their text embeddings, and their loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..stable_diffusion.batch_sampling import random_crop, spread_times
from .adapted_model import AdaptedModel
from .base_model import DOWNSCALE, TextEmbeddings, concatenate, predict_noise
from .subject_photos import EncodedPhoto

VALIDATION_TIMES = 8
TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "a close-up photo of a {}",
    "a picture of a {}",
    "{}",
)


@dataclass(frozen=True)
class TrainingSet:
    """Encoded photos (n), their prompts (at least one each), and their weight in the loss."""

    photos: Sequence[EncodedPhoto]
    prompts: Sequence[tuple[str, ...]]
    weight: float


@dataclass(frozen=True)
class Batch:
    """Latents (n, 4, h, w), noise of the same shape, times (n), prompts (n), weights (n)."""

    latents: Tensor
    noise: Tensor
    times: Tensor
    prompts: tuple[str, ...]
    weights: Tensor

    def split(self, count: int) -> list["Batch"]:
        """Split the batch into up to `count` shards whose times are spread alike."""
        count = min(count, len(self.times))
        return [
            Batch(
                self.latents[i::count],
                self.noise[i::count],
                self.times[i::count],
                self.prompts[i::count],
                self.weights[i::count],
            )
            for i in range(count)
        ]


def subject_prompts(word: str, context: str) -> tuple[str, ...]:
    """The prompts for a photo of the subject."""
    ending = f", {context}" if context else ""
    return tuple(template.format(word) + ending for template in TEMPLATES)


def sample_batch(training_sets: Sequence[TrainingSet], batch: int, size: int) -> Batch:
    """`batch` random crops of each training set's photos, with times spread over the schedule."""
    samples = [_sample(training_set, batch, size) for training_set in training_sets]
    latents = torch.cat([sample[0] for sample in samples])
    return Batch(
        latents,
        torch.randn_like(latents),
        torch.cat([spread_times(batch) for _ in samples]),
        tuple(prompt for sample in samples for prompt in sample[1]),
        torch.cat([sample[2] for sample in samples]),
    )


def validation_batch(held_out: TrainingSet, size: int) -> Batch:
    """Each held-out photo with its first prompt, at VALIDATION_TIMES times over the schedule."""
    alone = zip(held_out.photos, held_out.prompts, strict=True)
    return sample_batch(
        [TrainingSet([photo], [prompts[:1]], 1.0) for photo, prompts in alone],
        VALIDATION_TIMES,
        size,
    )


def _sample(training_set: TrainingSet, batch: int, size: int) -> tuple[Tensor, list[str], Tensor]:
    chosen = torch.randint(len(training_set.photos), (batch,)).tolist()
    sides = torch.randint(2, (batch,)).tolist()
    crops, prompts = [], []
    for row, side in zip(chosen, sides, strict=True):
        photo, templates = training_set.photos[row], training_set.prompts[row]
        crops.append(random_crop(photo.latents[side], photo.boxes[side], size // DOWNSCALE)[0])
        prompts.append(templates[int(torch.randint(len(templates), ()))])
    return torch.stack(crops), prompts, torch.full((batch,), training_set.weight)


class PromptEmbeddings:
    """Encodes prompts; cached while the text encoders are frozen.

    Otherwise each distinct prompt of a batch is encoded once.
    """

    def __init__(self, adapted: AdaptedModel) -> None:
        self._adapted = adapted
        self._cache: dict[str, TextEmbeddings] = {}

    def encode(self, prompts: Sequence[str]) -> TextEmbeddings:
        """Embeddings of prompts, on the UNet's device."""
        unique = list(dict.fromkeys(prompts))
        rows = torch.tensor([unique.index(prompt) for prompt in prompts])
        if self._adapted.text_learns:
            return self._adapted.encode(unique).at(rows.to(self._adapted.base.unet.device))
        for prompt in unique:
            if prompt not in self._cache:  # one by one: rounding must not depend on the batch
                with torch.no_grad():
                    self._cache[prompt] = self._adapted.encode([prompt]).half()
        device = self._adapted.base.unet.device
        # Single precision first: autocast on a CPU cannot join half precision.
        return concatenate([self._cache[prompt].to(device) for prompt in unique]).at(
            rows.to(device)
        )


def batch_loss(
    adapted: AdaptedModel, prompt_embeddings: PromptEmbeddings, batch: Batch, gamma: float | None
) -> Tensor:
    """The weighted mean squared error of the predicted noise (or velocity), a scalar."""
    base, device = adapted.base, adapted.base.unet.device
    times = batch.times.to(device)
    alphas = base.alphas.to(device)[times].view(-1, 1, 1, 1)
    latents, noise = batch.latents.to(device), batch.noise.to(device)
    noisy = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
    velocity = base.prediction == "v_prediction"
    target = alphas.sqrt() * noise - (1 - alphas).sqrt() * latents if velocity else noise
    prediction = predict_noise(base, noisy, times, prompt_embeddings.encode(batch.prompts))
    errors = (prediction.float() - target).square().mean(dim=(1, 2, 3))
    weights = snr_weights(alphas.flatten(), gamma, velocity) * batch.weights.to(device)
    return (weights * errors).mean()


def snr_weights(alphas: Tensor, gamma: float | None, velocity: bool) -> Tensor:
    """min(SNR, gamma) / SNR, and / (SNR + 1) for velocity; 1 without gamma.

    Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", section 3.4.
    """
    if gamma is None:
        return torch.ones_like(alphas)
    ratio = alphas / (1 - alphas)
    return ratio.clamp(max=gamma) / (ratio + 1 if velocity else ratio)
