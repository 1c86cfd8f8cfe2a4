"""Configurations of Stable Diffusion 1.5 and XL, which single files lack.

From the configuration files of runwayml's stable-diffusion-v1-5 and Stability AI's
stable-diffusion-xl-base-1.0, without values that equal a library's default.
"""

from typing import Any

from .base_model import Family

Part = tuple[str, str, dict[str, Any]]  # library, class, its configuration

_VAE: dict[str, Any] = {
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}
_CLIP_L: dict[str, Any] = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
    "bos_token_id": 49_406,
    "eos_token_id": 49_407,
}
_CLIP_G: dict[str, Any] = {
    **_CLIP_L,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "hidden_act": "gelu",
    "projection_dim": 1280,
}
_SCHEDULE: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "steps_offset": 1,
}
_UNET_SD1: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": [320, 640, 1280, 1280],
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "layers_per_block": 2,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
_UNET_SDXL: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": [320, 640, 1280],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2, 10],
    "cross_attention_dim": 2048,
    "attention_head_dim": [5, 10, 20],
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


_SCHEDULER: Part = ("diffusers", "DDPMScheduler", _SCHEDULE)
_FIRST_TEXT: Part = ("transformers", "CLIPTextModel", _CLIP_L)
PARTS: dict[Family, dict[str, Part]] = {
    "sd1": {
        "unet": ("diffusers", "UNet2DConditionModel", _UNET_SD1),
        "vae": ("diffusers", "AutoencoderKL", {**_VAE, "scaling_factor": 0.18215}),
        "text_encoder": _FIRST_TEXT,
        "scheduler": _SCHEDULER,
    },
    "sdxl": {
        "unet": ("diffusers", "UNet2DConditionModel", _UNET_SDXL),
        "vae": ("diffusers", "AutoencoderKL", {**_VAE, "scaling_factor": 0.13025}),
        "text_encoder": _FIRST_TEXT,
        "text_encoder_2": ("transformers", "CLIPTextModelWithProjection", _CLIP_G),
        "scheduler": _SCHEDULER,
    },
}
"""The networks and the schedule of each family, by diffusers' names."""
