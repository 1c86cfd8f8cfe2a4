"""Training the UNet and the text encoder together, on cached latents and token ids."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from ...core.tiny_sizes import Sizes
from .architecture import build_text_encoder, build_unet
from .autoencoder import load_autoencoder
from .captions import add_unknown_words, captions, tokenize
from .data import Entry
from .latents import Latents
from .sample import Networks
from .training import (
    load_checkpoint,
)

log = logging.getLogger(__name__)
CHECKPOINT = "base.safetensors"
GAMMA = 5.0  # of min-SNR weighting
STEPS = 1000  # of the noise schedule


@dataclass(frozen=True)
class DiffusionOptions:
    """How to train. `dropped` and `unknown` are the shares of empty and of lengthened prompts.

    `workers`: into how many parts a batch is split, which are computed side by side. On a CPU this
    beats threads within each operation, which wait for one another a thousand times a step.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 32
    rate: float = 6e-4
    decay: float = 0.999
    dropped: float = 0.1
    unknown: float = 0.1
    device: str = "cpu"
    bf16: bool = True
    workers: int = 1
    every: int = 500


@dataclass(frozen=True)
class Corpus:
    """What is learned: latents, the token ids (images, templates, 77), and the empty prompt."""

    latents: Latents
    ids: Tensor
    empty: Tensor


def build_corpus(latents: Latents, entries: Sequence[Entry], tokenizer: CLIPTokenizer) -> Corpus:
    """Tokenise the captions of `entries`, whose images `latents` came from."""
    texts = [captions(entry) for entry in entries]
    unique = sorted({text for group in texts for text in group})
    rows = {text: row for row, text in enumerate(unique)}
    chosen = torch.tensor([[rows[text] for text in group] for group in texts])
    return Corpus(latents, tokenize(tokenizer, unique)[chosen], tokenize(tokenizer, [""])[0])


class Model(nn.Module):
    """The two networks that learn together."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.unet: UNet2DConditionModel = build_unet(sizes)
        self.text_encoder: CLIPTextModel = build_text_encoder(sizes)

    def forward(self, noisy: Tensor, times: Tensor, ids: Tensor) -> Tensor:
        """The noise in `noisy` (n, 4, h, w) at `times` (n) for prompts `ids` (n, 77)."""
        # Few prompts differ within a batch: each is encoded once.
        unique, rows = torch.unique(ids, dim=0, return_inverse=True)
        text = self.text_encoder(unique).last_hidden_state[rows]
        return self.unet(noisy, times, text).sample


def loss_weights(alphas: Tensor) -> Tensor:
    """Weights of the squared noise error at alpha-bar `alphas`, with SNR = alphas / (1 - alphas).

    min(SNR, 5) / SNR where there is little noise (Hang et al. 2023, "Efficient Diffusion Training
    via Min-SNR Weighting Strategy", eq. 7), and 1 / sqrt(SNR) where there is much (Yu et al. 2023,
    "Debias the Training of Diffusion Models"): what is decided there, the picture's layout and
    colours, is otherwise learned last.
    """
    ratio = alphas / (1 - alphas)
    return ratio.clamp(max=GAMMA) / ratio * ratio.clamp(max=1).rsqrt()


def spread_times(count: int) -> Tensor:
    """`count` random steps from 0 to 999, one in each of `count` equal parts of the schedule."""
    return ((torch.arange(count) + torch.rand(count)) / count * STEPS).long()


@dataclass(frozen=True)
class Batch:
    """Latents and noise (n, 4, 16, 16), times (n), and token ids (n, 77) of one caption each."""

    latents: Tensor
    noise: Tensor
    times: Tensor
    ids: Tensor

    def to(self, device: str) -> "Batch":
        """The same batch on a device."""
        return Batch(*(part.to(device) for part in self._parts()))

    def split(self, count: int) -> list["Batch"]:
        """The batch in up to `count` parts of nearly equal size; their times are spread alike."""
        return [
            Batch(*(part[i::count] for part in self._parts()))
            for i in range(min(count, len(self.ids)))
        ]

    def _parts(self) -> tuple[Tensor, ...]:
        return (self.latents, self.noise, self.times, self.ids)


def random_batch(corpus: Corpus, options: DiffusionOptions) -> Batch:
    """Random images at random places, with random captions, some of them empty."""
    chosen = torch.randint(len(corpus.latents.values), (options.batch,))
    template = torch.randint(corpus.ids.shape[1], (options.batch,))
    ids = add_unknown_words(corpus.ids[corpus.latents.images[chosen], template], options.unknown)
    ids[torch.rand(options.batch) < options.dropped] = corpus.empty
    latents = corpus.latents.crops(chosen)
    return Batch(latents, torch.randn_like(latents), spread_times(len(latents)), ids)


def diffusion_loss(model: Model, batch: Batch, alphas: Tensor, bf16: bool) -> Tensor:
    """The weighted error of the noise predicted; `alphas` (1000) are the schedule's alpha-bar."""
    level = alphas[batch.times]
    kept = level.view(-1, 1, 1, 1)
    noisy = kept.sqrt() * batch.latents + (1 - kept).sqrt() * batch.noise
    with torch.autocast(alphas.device.type, torch.bfloat16, enabled=bf16):
        found = model(noisy, batch.times, batch.ids)
    errors = (found.float() - batch.noise).square().mean(dim=(1, 2, 3))
    return (loss_weights(level) * errors).mean()


def load_base(folder: Path, sizes: Sizes) -> Model:
    """The averaged networks of a run's folder. Raises InputError when there are none."""
    model = Model(sizes)
    load_checkpoint(folder / CHECKPOINT, {"average": model})
    return model.eval().requires_grad_(False)


def load_networks(folder: Path, tokenizer: CLIPTokenizer, sizes: Sizes) -> Networks:
    """All that draws, from a run's folder. Raises InputError when a part is missing."""
    model = load_base(folder, sizes)
    return Networks(tokenizer, model.text_encoder, model.unet, load_autoencoder(folder, sizes))
