"""Makes ComfyUI know manyshot-tiny, so that its stock loaders, samplers and LoRA nodes take it.

ComfyUI reads a checkpoint's sizes from its tensors and looks for the model class that names them.
"""

from typing import Any

from comfy import sd1_clip, supported_models
from comfy.supported_models_base import ClipTarget

from ..core.tiny_sizes import SD1_HEADS, TINY, clip_config


class TinyTokenizer(sd1_clip.SDTokenizer):
    """SD1's tokenizer; `embedding:` files of this model have its own, smaller width."""

    def __init__(self, **options: Any) -> None:
        super().__init__(embedding_size=TINY.text_width, **options)


class TinySD1Tokenizer(sd1_clip.SD1Tokenizer):
    """What CLIP nodes call; it holds the tokenizer under SD1's name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(tokenizer=TinyTokenizer, **options)


class TinyClip(sd1_clip.SDClipModel):
    """CLIP's text encoder in our sizes, used as SD1 uses its own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            textmodel_json_config=clip_config(TINY), return_projected_pooled=False, **options
        )


class TinySD1Clip(sd1_clip.SD1ClipModel):
    """What CLIP nodes call; it holds the text encoder under SD1's name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(clip_model=TinyClip, **options)


class ManyshotTiny(supported_models.SD15):
    """SD1 with our sizes. All of them must be found, so no other model is taken for it."""

    unet_config = {
        **supported_models.SD15.unet_config,
        "context_dim": TINY.text_width,
        "model_channels": TINY.unet_channels,
        "channel_mult": list(TINY.unet_multiples),
        "num_res_blocks": [TINY.unet_blocks] * len(TINY.unet_multiples),
    }
    unet_extra_config = {"num_heads": SD1_HEADS, "num_head_channels": -1}

    def clip_target(self, state_dict: dict[str, Any] | None = None) -> ClipTarget:
        return ClipTarget(TinySD1Tokenizer, TinySD1Clip)


def register() -> None:
    """Add the model to ComfyUI's list, last, so that every other checkpoint is found before it.

    Calling it again changes nothing, also where the pack is loaded twice under two names.
    """
    model_names = {model.__name__ for model in supported_models.models}
    if ManyshotTiny.__name__ not in model_names:
        supported_models.models.append(ManyshotTiny)
