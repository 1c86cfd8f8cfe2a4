"""The base model that subjects are trained on: text and noisy latents in, predicted noise out.

Stable Diffusion 1 and XL differ in their text encoders and in the UNet's extra conditioning. That
difference is handled here and nowhere else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ..training import place

Family = Literal["sd1", "sdxl"]
Prediction = Literal["epsilon", "v_prediction"]
LEAST_ALPHA = 4.8973451890853435e-08  # of zero-terminal-SNR schedules, ComfyUI's value
SD1_WIDTH = 768  # of the text encoder
DOWNSCALE = 8  # image side over latent side, of every model here


@dataclass(frozen=True)
class TextTower:
    """A text encoder with its tokenizer. SD1 has one, SDXL two."""

    tokenizer: CLIPTokenizer
    encoder: CLIPTextModel | CLIPTextModelWithProjection


@dataclass(frozen=True)
class Codec:
    """`encode`: pixels (n, 3, h, w) from -1 to 1 to the UNet's latents (n, 4, h/8, w/8); `decode`
    is the inverse. Both use `module`, which can be moved to a device."""

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]
    module: nn.Module


@dataclass(frozen=True)
class BaseModel:
    """A base model, frozen and in single precision.

    `digest`: sha256 of its file or folder. `size`: side of its images in pixels. `alphas` (1000):
    alpha-bar of the noise schedule. `file`: the single file that it was read from, if any.
    """

    family: Family
    name: str
    digest: str
    text_towers: tuple[TextTower, ...]
    unet: UNet2DConditionModel
    codec: Codec
    alphas: Tensor
    prediction: Prediction
    size: int
    file: Path | None = None

    def on(self, device: str) -> "BaseModel":
        """Move the model to a device; returns itself."""
        for module in (
            *(tower.encoder for tower in self.text_towers),
            self.unet,
            self.codec.module,
        ):
            # With a subject's few photos in a step, channels_last makes a CPU a sixth slower.
            nn.Module.to(module, "cpu") if device == "cpu" else place(module, device)
        return self

    @property
    def small(self) -> bool:
        """Whether its text encoder is narrower than Stable Diffusion 1's."""
        return self.widths[0] < SD1_WIDTH

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of each text encoder's embeddings."""
        return tuple(tower.encoder.config.hidden_size for tower in self.text_towers)


@dataclass(frozen=True)
class TextEmbeddings:
    """The UNet's text conditioning: `states` (n, 77, width), and for SDXL `pooled` (n, width)."""

    states: Tensor
    pooled: Tensor | None = None

    def at(self, rows: Tensor) -> "TextEmbeddings":
        """The embeddings at `rows`."""
        return TextEmbeddings(self.states[rows], None if self.pooled is None else self.pooled[rows])

    def half(self) -> "TextEmbeddings":
        """Detached, in half precision, on the CPU: the form in which frozen text is cached."""
        pooled = None if self.pooled is None else self.pooled.detach().half().cpu()
        return TextEmbeddings(self.states.detach().half().cpu(), pooled)

    def to(self, device: str | torch.device) -> "TextEmbeddings":
        """In single precision on a device."""
        pooled = None if self.pooled is None else self.pooled.to(device).float()
        return TextEmbeddings(self.states.to(device).float(), pooled)


def concatenate(texts: Sequence[TextEmbeddings]) -> TextEmbeddings:
    """Concatenate embeddings along the batch."""
    pooled = [text.pooled for text in texts if text.pooled is not None]
    return TextEmbeddings(
        torch.cat([text.states for text in texts]), torch.cat(pooled) if pooled else None
    )


def encode_text(base: BaseModel, ids: Sequence[Tensor]) -> TextEmbeddings:
    """Encode token ids (n, 77), one tensor for each text encoder."""
    if base.family == "sd1":
        [tower], [tokens] = base.text_towers, ids
        return TextEmbeddings(tower.encoder(tokens).last_hidden_state)
    outputs = [
        tower.encoder(tokens, output_hidden_states=True)
        for tower, tokens in zip(base.text_towers, ids, strict=True)
    ]
    # Podell et al. 2023 ("SDXL"), section 2.1: the penultimate layers of both, concatenated.
    states = torch.cat([output.hidden_states[-2] for output in outputs], dim=-1)
    return TextEmbeddings(states, outputs[-1].text_embeds)


def freeze_unused_text_layers(base: BaseModel) -> None:
    """Freeze the layers that `encode_text` does not use: the end of SDXL's first text encoder."""
    if base.family == "sdxl":
        first: Any = base.text_towers[0].encoder
        first = getattr(first, "text_model", first)  # transformers 5 has the layers one level up
        for module in (first.encoder.layers[-1], first.final_layer_norm):
            module.requires_grad_(False)


def predict_noise(base: BaseModel, noisy: Tensor, times: Tensor, text: TextEmbeddings) -> Tensor:
    """The UNet's prediction for noisy latents (n, 4, h, w) at times (n): noise or velocity,
    depending on the model."""
    if text.pooled is None:
        return base.unet(noisy, times, text.states, return_dict=False)[0]
    side = float(base.size)
    sizes = torch.tensor([[side, side, 0.0, 0.0, side, side]]).expand(len(noisy), -1)
    added = {"text_embeds": text.pooled, "time_ids": sizes.to(noisy)}
    return base.unet(noisy, times, text.states, added_cond_kwargs=added, return_dict=False)[0]
