"""The networks of manyshot-tiny as diffusers' and transformers' modules."""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from ...core.errors import InputError
from ...core.tiny_sizes import (
    DOWNSCALE,
    IMAGE_SIZE,
    LATENT_CHANNELS,
    SD1_BETAS,
    SD1_HEADS,
    SD1_STEPS,
    SD1_TOKENS,
    Sizes,
    clip_config,
)

HINT_WIDTHS = (16, 32, 96, 256)  # of every SD1 ControlNet


def build_vae(sizes: Sizes) -> AutoencoderTiny:
    """TAESD: pixels (n, 3, h, w) from -1 to 1; latents (n, 4, h / 8, w / 8)."""
    widths = (sizes.vae_width,) * 4
    return AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        latent_channels=LATENT_CHANNELS,
    )


def build_unet(sizes: Sizes) -> UNet2DConditionModel:
    """SD1's UNet; predicts the noise in latents (n, 4, h, w) given text (n, 77, text_width)."""
    down = [
        "CrossAttnDownBlock2D" if attends else "DownBlock2D" for attends in sizes.unet_attention
    ]
    up = ["CrossAttnUpBlock2D" if attends else "UpBlock2D" for attends in sizes.unet_attention]
    return UNet2DConditionModel(
        sample_size=IMAGE_SIZE // DOWNSCALE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=tuple(sizes.unet_channels * times for times in sizes.unet_multiples),
        down_block_types=tuple(down),
        up_block_types=tuple(reversed(up)),
        layers_per_block=sizes.unet_blocks,
        cross_attention_dim=sizes.text_width,
        attention_head_dim=SD1_HEADS,  # diffusers' name for what is the number of heads
    )


def build_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A copy of the UNet's first half that reads control images (n, 3, 8h, 8w) from 0 to 1.

    Weights of the UNet are copied (input, time, down, middle); the convolutions on the hint are
    new (ComfyUI fixes their widths), and those to the UNet are zero: it begins without effect.
    """
    return ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=HINT_WIDTHS)


def build_text_encoder(sizes: Sizes) -> CLIPTextModel:
    """CLIP's text encoder: ids (n, 77) to states (n, 77, text_width)."""
    return CLIPTextModel(CLIPTextConfig(**clip_config(sizes)))


def build_schedule() -> DDPMScheduler:
    """SD1's noise."""
    first, last = SD1_BETAS
    return DDPMScheduler(
        num_train_timesteps=SD1_STEPS,
        beta_start=first,
        beta_end=last,
        beta_schedule="scaled_linear",
        clip_sample=False,
        steps_offset=1,
    )


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """SD1's tokenizer from a folder as ComfyUI has it. Raises InputError when files are missing."""
    tokenizer_files(folder)
    return CLIPTokenizer.from_pretrained(folder, model_max_length=SD1_TOKENS)


def tokenize(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> Tensor:
    """Token ids (n, 77) as SD1's nodes make them: start, words, end, then end to the right."""
    encoding = tokenizer(list(texts), padding="max_length", max_length=SD1_TOKENS, truncation=True)
    return torch.tensor(encoding["input_ids"])


NEEDED = ("vocab.json", "merges.txt")
NOTES = ("tokenizer_config.json", "special_tokens_map.json")


def tokenizer_files(folder: Path) -> list[Path]:
    """The files that are there. Raises InputError when one that is needed is not."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"The tokenizer folder {folder} lacks {' and '.join(missing)}. Pass ComfyUI's "
            "folder comfy/sd1_tokenizer."
        )
    return [folder / name for name in (*NEEDED, *NOTES) if (folder / name).is_file()]
