"""The sizes of manyshot-tiny as AUTOMATIC1111's WebUI reads them: CompVis' configuration.

The WebUI takes what a YAML file of a checkpoint's name says in place of what it knows of models.
"""

from pathlib import Path
from typing import Any

from ...core.tiny_sizes import (
    DOWNSCALE,
    IMAGE_SIZE,
    LATENT_CHANNELS,
    SD1_BETAS,
    SD1_HEADS,
    SD1_SCALE_FACTOR,
    SD1_STEPS,
    Sizes,
    clip_config,
)

COLOURS = 3
UNUSED_WIDTH = 32  # the least that its norms can part


def model_config(sizes: Sizes, text_encoder: Path) -> dict[str, Any]:
    """The content of the YAML file. `text_encoder`: a folder with tokenizer and config.json."""
    first, last = SD1_BETAS
    params = {
        "linear_start": first,
        "linear_end": last,
        "timesteps": SD1_STEPS,
        "scale_factor": SD1_SCALE_FACTOR,
        "image_size": IMAGE_SIZE // DOWNSCALE,
        "channels": LATENT_CHANNELS,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "conditioning_key": "crossattn",
        "num_timesteps_cond": 1,
        "use_ema": False,
        "unet_config": _unet(sizes),
        "first_stage_config": _autoencoder_stub(),
        "cond_stage_config": {
            "target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
            "params": {"version": str(text_encoder)},
        },
    }
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": params}}


def text_encoder_config(sizes: Sizes) -> dict[str, Any]:
    """The content of the text encoder's config.json, as transformers reads it."""
    kind = {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model"}
    return {**kind, **clip_config(sizes), "projection_dim": sizes.text_width}


def _unet(sizes: Sizes) -> dict[str, Any]:
    """CompVis names the levels that attend to the text by how much smaller they are."""
    attends = [2**level for level, attends in enumerate(sizes.unet_attention) if attends]
    params = {
        "image_size": IMAGE_SIZE // DOWNSCALE,
        "in_channels": LATENT_CHANNELS,
        "out_channels": LATENT_CHANNELS,
        "model_channels": sizes.unet_channels,
        "channel_mult": list(sizes.unet_multiples),
        "num_res_blocks": sizes.unet_blocks,
        "attention_resolutions": attends,
        "num_heads": SD1_HEADS,
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": sizes.text_width,
        "use_checkpoint": False,
        "legacy": False,
    }
    return {"target": "ldm.modules.diffusionmodules.openaimodel.UNetModel", "params": params}


def _autoencoder_stub() -> dict[str, Any]:
    """CompVis' autoencoder, as small as can be: it must be there, and TAESD's is used."""
    levels = DOWNSCALE.bit_length()  # each but the first halves the picture
    sizes = {
        "double_z": True,
        "z_channels": LATENT_CHANNELS,
        "resolution": IMAGE_SIZE,
        "in_channels": COLOURS,
        "out_ch": COLOURS,
        "ch": UNUSED_WIDTH,
        "ch_mult": [1] * levels,
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    params = {
        "embed_dim": LATENT_CHANNELS,
        "ddconfig": sizes,
        "lossconfig": {"target": "torch.nn.Identity"},
    }
    return {"target": "ldm.models.autoencoder.AutoencoderKL", "params": params}
