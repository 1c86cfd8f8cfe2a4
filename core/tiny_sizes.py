"""The sizes of manyshot-tiny, in one place: the trainer builds it, the node pack recognises it.

The architecture is Stable Diffusion 1's with smaller numbers; the autoencoder is TAESD's.
"""

from dataclasses import dataclass
from typing import Any

IMAGE_SIZE = 128  # pixels, square
DOWNSCALE = 8  # image side over latent side
LATENT_CHANNELS = 4
LATENT_SIZE = IMAGE_SIZE // DOWNSCALE
SD1_SCALE_FACTOR = 0.18215  # SD1's latents are multiplied by this before the UNet sees them
SD1_STEPS = 1000  # of noise; predicted is the noise itself
SD1_BETAS = (0.00085, 0.012)  # variances of the first and the last: squares of a line between
SD1_HEADS = 8  # attention heads at every level of an SD1 UNet
SD1_VOCABULARY = 49_408  # tokens of CLIP's tokenizer
SD1_TOKENS = 77  # tokens of a prompt, with start and end


@dataclass(frozen=True)
class Sizes:
    """Widths and depths. `attention` says for each UNet level whether it attends to the text."""

    unet_channels: int = 64
    unet_multiples: tuple[int, ...] = (1, 2, 4)
    unet_attention: tuple[bool, ...] = (False, True, False)  # the middle always attends
    unet_blocks: int = 1
    text_width: int = 128
    text_layers: int = 4
    text_heads: int = 4
    vae_width: int = 64


TINY = Sizes()


def clip_config(sizes: Sizes) -> dict[str, Any]:
    """The text encoder as a CLIP configuration, in the keys transformers and ComfyUI both read."""
    return {
        "hidden_size": sizes.text_width,
        "intermediate_size": sizes.text_width * 4,
        "num_hidden_layers": sizes.text_layers,
        "num_attention_heads": sizes.text_heads,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": SD1_TOKENS,
        "vocab_size": SD1_VOCABULARY,
        "bos_token_id": 49_406,
        "eos_token_id": 49_407,
        "pad_token_id": 49_407,
    }
