"""CLIP through transformers: features of pictures and of prompts in one space.

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
    """Its id, a note, and what makes rows of unit length of RGB byte images, and of prompts.

    `model`: a name of the hub, from where it is fetched, or a folder. Raises InputError.
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
            f"CLIP cannot be loaded from {model!r} ({reason}). Without a network give a folder, "
            "'clip:<folder>', or another net."
        ) from None

    @torch.inference_mode()
    def pictures(images: Sequence[np.ndarray]) -> np.ndarray:
        seen = prepare(images=[one.copy() for one in images], return_tensors="pt")
        return _unit(vision(**seen).image_embeds)

    @torch.inference_mode()
    def texts(prompts: Sequence[str]) -> np.ndarray:
        said = tokenizer(list(prompts), padding=True, truncation=True, return_tensors="pt")
        return _unit(text(**said).text_embeds)

    name = f"clip-{model.strip('/').replace('/', '_')}"
    return name, f"CLIP ({model}), which knows text as well.", pictures, texts


def _unit(rows: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(rows).cpu().numpy()
