"""Sizes at which the networks of the base train in seconds."""

from manyshot.core.tiny_sizes import Sizes

SMALL = Sizes(
    unet_channels=32,
    unet_multiples=(1, 2),
    unet_attention=(True, False),
    text_width=32,
    text_layers=1,
    text_heads=2,
    vae_width=8,
)
