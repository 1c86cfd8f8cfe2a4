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
    """How to train. `dropped` and `unknown` are the shares of empty and of lengthened prompts."""

    steps: int | None = None
    minutes: float | None = None
    batch: int = 32
    rate: float = 6e-4
    decay: float = 0.999
    dropped: float = 0.1
    unknown: float = 0.1
    device: str = "cpu"
    bf16: bool = True
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


def min_snr_weights(alphas: Tensor) -> Tensor:
    """Weights of the squared noise error at alpha-bar `alphas`: min(SNR, 5) / SNR.

    Hang et al. 2023, "Efficient Diffusion Training via Min-SNR Weighting Strategy", eq. 7.
    """
    ratio = alphas / (1 - alphas)
    return ratio.clamp(max=GAMMA) / ratio


def spread_times(count: int) -> Tensor:
    """`count` random steps from 0 to 999, one in each of `count` equal parts of the schedule."""
    return ((torch.arange(count) + torch.rand(count)) / count * STEPS).long()


@dataclass(frozen=True)
class Batch:
    """Latents (n, 4, 16, 16) with the token ids (n, 77) of one caption each."""

    latents: Tensor
    ids: Tensor
    bf16: bool


def random_batch(corpus: Corpus, options: DiffusionOptions) -> Batch:
    """Random images at random places, with random captions, some of them empty."""
    chosen = torch.randint(len(corpus.latents.values), (options.batch,))
    template = torch.randint(corpus.ids.shape[1], (options.batch,))
    ids = add_unknown_words(corpus.ids[corpus.latents.images[chosen], template], options.unknown)
    ids[torch.rand(options.batch) < options.dropped] = corpus.empty
    return Batch(corpus.latents.crops(chosen), ids, options.bf16)


def train_step(
    model: Model, optimizer: torch.optim.Optimizer, batch: Batch, alphas: Tensor
) -> float:
    """One step on the noise prediction at spread times; returns the loss."""
    device = alphas.device
    latents, ids = batch.latents.to(device), batch.ids.to(device)
    times = spread_times(len(latents)).to(device)
    level = alphas[times]
    kept = level.view(-1, 1, 1, 1)
    noise = torch.randn_like(latents)
    with torch.autocast(device.type, torch.bfloat16, enabled=batch.bf16):
        found = model(kept.sqrt() * latents + (1 - kept).sqrt() * noise, times, ids)
    errors = (found.float() - noise).square().mean(dim=(1, 2, 3))
    loss = (min_snr_weights(level) * errors).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def load_base(folder: Path, sizes: Sizes) -> Model:
    """The averaged networks of a run's folder. Raises InputError when there are none."""
    model = Model(sizes)
    load_checkpoint(folder / CHECKPOINT, {"average": model})
    return model.eval().requires_grad_(False)


def load_networks(folder: Path, tokenizer: CLIPTokenizer, sizes: Sizes) -> Networks:
    """All that draws, from a run's folder. Raises InputError when a part is missing."""
    model = load_base(folder, sizes)
    return Networks(tokenizer, model.text_encoder, model.unet, load_autoencoder(folder, sizes))
