"""A base model as the trainer of subjects sees it: text in, latents in, noise out.

Stable Diffusion 1 and XL differ in their text encoders and in what else the UNet is told; that
difference stands here and nowhere else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from ..base.training import place

Family = Literal["sd1", "sdxl"]
Prediction = Literal["epsilon", "v_prediction"]
LEAST_ALPHA = 4.8973451890853435e-08  # of schedules that end in pure noise, as ComfyUI has it
SD1_WIDTH = 768  # of the text encoder
DOWNSCALE = 8  # image side over latent side, of every model here


@dataclass(frozen=True)
class TextPart:
    """A text encoder with its tokenizer. SD1 has one, SDXL two."""

    tokenizer: CLIPTokenizer
    encoder: CLIPTextModel | CLIPTextModelWithProjection


@dataclass(frozen=True)
class Codec:
    """`encode`: pixels (n, 3, h, w) from -1 to 1 to the UNet's latents (n, 4, h/8, w/8); `decode`
    back. `module` is what both use, to be moved to a device."""

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]
    module: nn.Module


@dataclass(frozen=True)
class BaseModel:
    """All that a subject is trained on, frozen and in single precision.

    `digest`: sha256 of what it was read from. `size`: side of its images in pixels. `alphas`
    (1000): alpha-bar of the noise schedule. `file`: the single file that it came from.
    """

    family: Family
    name: str
    digest: str
    texts: tuple[TextPart, ...]
    unet: UNet2DConditionModel
    codec: Codec
    alphas: Tensor
    prediction: Prediction
    size: int
    file: Path | None = None

    def on(self, device: str) -> "BaseModel":
        """The same, moved to a device."""
        for module in (*(part.encoder for part in self.texts), self.unet, self.codec.module):
            # At a subject's few photos a step, channels_last makes a CPU a sixth slower.
            nn.Module.to(module, "cpu") if device == "cpu" else place(module, device)
        return self

    @property
    def small(self) -> bool:
        """Whether its text encoder is narrower than Stable Diffusion 1's."""
        return self.widths[0] < SD1_WIDTH

    @property
    def widths(self) -> tuple[int, ...]:
        """The width of each text encoder's embeddings."""
        return tuple(part.encoder.config.hidden_size for part in self.texts)


@dataclass(frozen=True)
class Text:
    """What the UNet hears: `states` (n, 77, width); SDXL's `pooled` (n, width) beside them."""

    states: Tensor
    pooled: Tensor | None = None

    def at(self, rows: Tensor) -> "Text":
        """The texts at `rows`."""
        return Text(self.states[rows], None if self.pooled is None else self.pooled[rows])

    def half(self) -> "Text":
        """The same in half precision on the CPU, out of any graph: what is kept of frozen text."""
        pooled = None if self.pooled is None else self.pooled.detach().half().cpu()
        return Text(self.states.detach().half().cpu(), pooled)

    def to(self, device: str | torch.device) -> "Text":
        """The same in single precision on a device."""
        pooled = None if self.pooled is None else self.pooled.to(device).float()
        return Text(self.states.to(device).float(), pooled)


def joined(texts: Sequence[Text]) -> Text:
    """Several texts one after the other."""
    pooled = [text.pooled for text in texts if text.pooled is not None]
    return Text(torch.cat([text.states for text in texts]), torch.cat(pooled) if pooled else None)


def hear(base: BaseModel, ids: Sequence[Tensor]) -> Text:
    """What the text encoders make of token ids (n, 77), one tensor for each encoder."""
    if base.family == "sd1":
        [part], [own] = base.texts, ids
        return Text(part.encoder(own).last_hidden_state)
    found = [
        part.encoder(own, output_hidden_states=True)
        for part, own in zip(base.texts, ids, strict=True)
    ]
    # Podell et al. 2023 ("SDXL"), section 2.1: the last layer but one of both, side by side.
    states = torch.cat([one.hidden_states[-2] for one in found], dim=-1)
    return Text(states, found[-1].text_embeds)


def freeze_unheard(base: BaseModel) -> None:
    """Keep from learning what `hear` leaves out: the end of SDXL's first text encoder."""
    if base.family == "sdxl":
        first: Any = base.texts[0].encoder
        first = getattr(first, "text_model", first)  # transformers 5 has its parts one level up
        for module in (first.encoder.layers[-1], first.final_layer_norm):
            module.requires_grad_(False)


def find_noise(base: BaseModel, noisy: Tensor, times: Tensor, text: Text) -> Tensor:
    """What the UNet finds in noisy latents (n, 4, h, w) at times (n), in the schedule's own terms
    (noise, or velocity)."""
    if text.pooled is None:
        return base.unet(noisy, times, text.states, return_dict=False)[0]
    side = float(base.size)
    sizes = torch.tensor([[side, side, 0.0, 0.0, side, side]]).expand(len(noisy), -1)
    added = {"text_embeds": text.pooled, "time_ids": sizes.to(noisy)}
    return base.unet(noisy, times, text.states, added_cond_kwargs=added, return_dict=False)[0]
