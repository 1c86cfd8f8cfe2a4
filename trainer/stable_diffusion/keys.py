"""Names of tensors: from diffusers' and transformers' to those of the original single file.

The original layout is CompVis' (`model.diffusion_model.input_blocks…`), which ComfyUI and
AUTOMATIC1111 read; the autoencoder's is TAESD's, as ComfyUI names it; a ControlNet's is that of
lllyasviel's files (`control_model.zero_convs…`).
"""

from collections.abc import Iterator, Sequence

from ...core.tiny_sizes import Sizes

UNET = "model.diffusion_model."
CONTROLNET = "control_model."
TEXT = "cond_stage_model.transformer."
ENCODER = "first_stage_model.taesd_encoder."
DECODER = "first_stage_model.taesd_decoder."

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_FIRST_HALF = {  # of a UNet; a ControlNet is a copy of it
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_END = {"conv_norm_out": "out.0", "conv_out": "out.2"}
_SDXL = {
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_HINT_BLOCKS = 6  # between the first and the last convolution of SD1's hint block


def unet_modules(attention: Sequence[bool], blocks: int) -> dict[str, str]:
    """Each block of diffusers' UNet with its place in the original one.

    `attention`: whether each level attends to the text; `blocks`: of residuals, in each.
    """
    return {
        **_FIRST_HALF,
        **_END,
        **_SDXL,
        **dict(_down(attention, blocks)),
        **dict(_up(attention, blocks)),
    }


def controlnet_modules(sizes: Sizes) -> dict[str, str]:
    """Each block of diffusers' ControlNet with its place in the original one.

    The original counts the activations between the hint's convolutions as layers of their own.
    """
    hint = {f"blocks.{i}": f"{2 * (i + 1)}" for i in range(_HINT_BLOCKS)}
    hint |= {"conv_in": "0", "conv_out": f"{2 * (_HINT_BLOCKS + 1)}"}
    levels = len(sizes.unet_attention)
    outputs = 1 + levels * sizes.unet_blocks + levels - 1  # conv_in, blocks, downsamplers
    return {
        **_FIRST_HALF,
        **dict(_down(sizes.unet_attention, sizes.unet_blocks)),
        **{f"controlnet_cond_embedding.{k}": f"input_hint_block.{v}" for k, v in hint.items()},
        **{f"controlnet_down_blocks.{i}": f"zero_convs.{i}.0" for i in range(outputs)},
        "controlnet_mid_block": "middle_block_out.0",
    }


def _down(attention: Sequence[bool], blocks: int) -> Iterator[tuple[str, str]]:
    place, last = 1, len(attention) - 1
    for level in range(last + 1):
        for block in range(blocks):
            yield f"down_blocks.{level}.resnets.{block}", f"input_blocks.{place}.0"
            yield f"down_blocks.{level}.attentions.{block}", f"input_blocks.{place}.1"
            place += 1
        if level < last:
            yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{place}.0.op"
            place += 1


def _up(attention: Sequence[bool], blocks: int) -> Iterator[tuple[str, str]]:
    place, last = 0, len(attention) - 1
    for level, attends in enumerate(reversed(attention)):
        for block in range(blocks + 1):
            yield f"up_blocks.{level}.resnets.{block}", f"output_blocks.{place}.0"
            yield f"up_blocks.{level}.attentions.{block}", f"output_blocks.{place}.1"
            place += 1
        if level < last:
            after = 2 if attends else 1
            upsampler = f"output_blocks.{place - 1}.{after}.conv"
            yield f"up_blocks.{level}.upsamplers.0.conv", upsampler


def original_unet_key(key: str, modules: dict[str, str], prefix: str = UNET) -> str:
    """The original name of one of diffusers' UNet or ControlNet tensors.

    Raises KeyError for one that is in none of the `modules`.
    """
    parts = key.split(".")
    for length in range(len(parts) - 1, 0, -1):
        place = modules.get(".".join(parts[:length]))
        if place is not None:
            rest = [_RESNET.get(parts[length], parts[length]), *parts[length + 1 :]]
            return prefix + ".".join([place, *rest])
    raise KeyError(key)


def original_text_key(key: str) -> str:
    """The original name of one of the text encoder's tensors (transformers 4 and 5)."""
    return TEXT + "text_model." + key.removeprefix("text_model.")


def original_vae_key(key: str) -> str:
    """The original name of one of AutoencoderTiny's tensors: TAESD counts its clamp as layer 0."""
    net, _, place, rest = key.split(".", 3)
    if net == "encoder":
        return f"{ENCODER}{place}.{rest}"
    return f"{DECODER}{int(place) + 1}.{rest}"
