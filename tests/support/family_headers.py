"""Headers of model files of each family."""


def ldm(prefix: str, channels: int, context: int, vector: int = 0) -> dict[str, tuple[int, ...]]:
    """The telling tensors of a UNet in ComfyUI's layout, with what a checkpoint has beside."""
    block = f"{prefix}input_blocks.1.1.transformer_blocks.0"
    shapes = {
        "first_stage_model.encoder.conv_in.weight": (128, 3, 3, 3),
        f"{prefix}input_blocks.0.0.weight": (channels, 4, 3, 3),
        f"{block}.attn1.to_k.weight": (channels, channels),
        f"{block}.attn2.to_k.weight": (channels, context),
    }
    return shapes | ({f"{prefix}label_emb.0.0.weight": (4 * channels, vector)} if vector else {})


CONTROL = {"control_model.zero_convs.0.0.weight": (320, 320, 1, 1)}
