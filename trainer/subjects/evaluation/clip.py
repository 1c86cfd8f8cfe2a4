"""CLIP through transformers: image and text features in one space.

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision".
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from ....core.errors import InputError

MODEL = "openai/clip-vit-base-patch32"
Rows = Callable[[Sequence[Any]], np.ndarray]


def open_clip(model: str = MODEL) -> tuple[str, str, Rows, Rows]:
    """The model's id, a note, and two encoders: of RGB byte images and of prompts, into rows (n, d)
    of unit length.

    `model`: a name on the Hugging Face hub, or a folder. Raises InputError.
    """
    from transformers import (
        CLIPImageProcessor,
        CLIPTextModelWithProjection,
        CLIPTokenizer,
        CLIPVisionModelWithProjection,
    )

    try:
        vision = CLIPVisionModelWithProjection.from_pretrained(model, use_safetensors=True).eval()
        text = CLIPTextModelWithProjection.from_pretrained(model, use_safetensors=True).eval()
        prepare = CLIPImageProcessor.from_pretrained(model)
        tokenizer = CLIPTokenizer.from_pretrained(model)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"CLIP cannot be loaded from {model!r} ({reason}). Without a network connection, "
            "use a folder, 'clip:<folder>', or another network."
        ) from None

    @torch.inference_mode()
    def pictures(images: Sequence[np.ndarray]) -> np.ndarray:
        inputs = prepare(images=[image.copy() for image in images], return_tensors="pt")
        return _unit(vision(**inputs).image_embeds)

    @torch.inference_mode()
    def texts(prompts: Sequence[str]) -> np.ndarray:
        tokens = tokenizer(list(prompts), padding=True, truncation=True, return_tensors="pt")
        return _unit(text(**tokens).text_embeds)

    name = f"clip-{model.strip('/').replace('/', '_')}"
    return name, f"CLIP ({model}), which knows text as well.", pictures, texts


def _unit(rows: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(rows).cpu().numpy()
