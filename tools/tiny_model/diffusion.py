"""What the UNet learns from: cached latents and text, noise, and the loss."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.checkpoints import load_checkpoint
from manyshot.trainer.stable_diffusion.architecture import build_unet, tokenize
from manyshot.trainer.stable_diffusion.batch_sampling import Place, random_crop, spread_times
from manyshot.trainer.stable_diffusion.euler_sampling import Networks
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from .autoencoder import load_autoencoder
from .latents import Latents
from .text_pretraining import load_text_encoder

log = logging.getLogger(__name__)
CHECKPOINT = "base.safetensors"
GAMMA = 5.0  # of min-SNR weighting
STEPS = 1000  # of the noise schedule
Condition = Callable[[int, Place], Tensor]  # what is seen of a latent's row, at its crop's place


@dataclass(frozen=True)
class DiffusionOptions:
    """How to train. `dropped` is the share of empty prompts.

    `alignment` is the weight of the alignment loss beside the noise's; 0 trains without it.

    `workers`: into how many parts a batch is split, which are computed side by side. On a CPU this
    beats threads within each operation, which wait for one another a thousand times a step.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 32
    rate: float = 6e-4
    decay: float = 0.9995
    dropped: float = 0.1
    alignment: float = 0.0
    device: str = "cpu"
    bf16: bool = True
    workers: int = 1
    every: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Corpus:
    """What is learned: latents, how often each comes, and what its captions say.

    `states` (captions, 77, width) are the text encoder's, the empty caption's first; `rows` holds
    for each image those of its captions, `shares` the weight of each image among all. `digest`
    stands for what all of it was made from.
    """

    latents: Latents
    states: Tensor
    rows: list[Tensor]
    shares: Tensor
    digest: str = ""


def build_corpus(
    latents: Latents,
    texts: Sequence[Sequence[str]],
    shares: Tensor,
    encode: Callable[[list[str]], Tensor],
) -> Corpus:
    """The corpus of images whose captions are `texts` and whose weights `shares`.

    `encode` gives texts' states.
    """
    unique = ["", *sorted({text for group in texts for text in group} - {""})]
    places = {text: place for place, text in enumerate(unique)}
    rows = [torch.tensor([places[text] for text in group]) for group in texts]
    log.info("encoding %d captions", len(unique))
    return Corpus(latents, encode(unique), rows, shares)


def text_states(
    text_encoder: CLIPTextModel, tokenizer: CLIPTokenizer, texts: Sequence[str], batch: int = 64
) -> Tensor:
    """The states (texts, 77, width) of a frozen text encoder, in half precision on the CPU."""
    ids = tokenize(tokenizer, texts).to(text_encoder.device)
    with torch.inference_mode():
        parts = [text_encoder(chunk).last_hidden_state.half().cpu() for chunk in ids.split(batch)]
    return torch.cat(parts).clone()


def loss_weights(alphas: Tensor) -> Tensor:
    """Weights of the squared noise error at alpha-bar `alphas`, with SNR = alphas / (1 - alphas).

    min(SNR, 5) / SNR where there is little noise (Hang et al. 2023, "Efficient Diffusion Training
    via Min-SNR Weighting Strategy", eq. 7), and 1 / sqrt(SNR) where there is much (Yu et al. 2023,
    "Debias the Training of Diffusion Models"): what is decided there, the picture's layout and
    colours, is otherwise learned last.
    """
    ratio = alphas / (1 - alphas)
    return ratio.clamp(max=GAMMA) / ratio * ratio.clamp(max=1).rsqrt()


@dataclass(frozen=True)
class Batch:
    """Latents and noise (n, 4, 16, 16), times (n), and text states (n, 77, width).

    `conditions`: for a ControlNet what it sees of the control images (n, 96, 32, 32), for an
    aligned UNet the image net's features (n, 320, 4, 4).
    """

    latents: Tensor
    noise: Tensor
    times: Tensor
    text: Tensor
    conditions: Tensor | None = None

    def to(self, device: str) -> "Batch":
        """The same batch on a device."""
        return self._each(lambda tensor: tensor.to(device))

    def split(self, count: int) -> list["Batch"]:
        """The batch in up to `count` parts of nearly equal size; their times are spread alike."""
        count = min(count, len(self.times))
        return [self._each(lambda tensor, first=i: tensor[first::count]) for i in range(count)]

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        conditions = None if self.conditions is None else change(self.conditions)
        latents, noise, times, text = map(change, (self.latents, self.noise, self.times, self.text))
        return Batch(latents, noise, times, text, conditions)


def random_batch(
    corpus: Corpus, options: DiffusionOptions, condition: Condition | None = None
) -> Batch:
    """Random images at random places, with random captions, some of them empty."""
    chosen = torch.multinomial(corpus.shares, options.batch, replacement=True)
    crops = [
        random_crop(corpus.latents.values[i], corpus.latents.boxes[i]) for i in chosen.tolist()
    ]
    rows = [_random_row(corpus.rows[i]) for i in chosen.tolist()]
    places = torch.where(torch.rand(options.batch) < options.dropped, 0, torch.tensor(rows))
    latents = torch.stack([latent for latent, _ in crops]).float()
    conditions = condition and torch.stack(
        [condition(row, place) for row, (_, place) in zip(chosen.tolist(), crops, strict=True)]
    )
    return Batch(
        latents,
        torch.randn_like(latents),
        spread_times(len(latents)),
        corpus.states[places].float(),
        conditions,
    )


def _random_row(rows: Tensor) -> int:
    return int(rows[torch.randint(len(rows), ())])


def add_noise(batch: Batch, alphas: Tensor) -> Tensor:
    """The batch's latents with its noise at its times; `alphas` (1000) are alpha-bar."""
    alpha_bar = alphas[batch.times].view(-1, 1, 1, 1)
    return alpha_bar.sqrt() * batch.latents + (1 - alpha_bar).sqrt() * batch.noise


def compute_weighted_error(noise: Tensor, batch: Batch, alphas: Tensor) -> Tensor:
    """The weighted squared error of the noise found, one number."""
    errors = (noise.float() - batch.noise).square().mean(dim=(1, 2, 3))
    return (loss_weights(alphas[batch.times]) * errors).mean()


def load_unet(folder: Path, sizes: Sizes) -> UNet2DConditionModel:
    """The averaged UNet of a run's folder. Raises InputError when there is none."""
    unet = build_unet(sizes)
    load_checkpoint(folder / CHECKPOINT, {"average": unet})
    return unet.eval().requires_grad_(False)


def load_networks(folder: Path, tokenizer: CLIPTokenizer, sizes: Sizes) -> Networks:
    """All that draws, from a run's folder. Raises InputError when a part is missing."""
    return Networks(
        tokenizer,
        load_text_encoder(folder, sizes),
        load_unet(folder, sizes),
        load_autoencoder(folder, sizes),
    )
