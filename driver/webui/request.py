"""A request to a WebUI as a value, with what its reply must show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Request:
    """One call of txt2img or img2img, in the fields of AUTOMATIC1111 1.10's API.

    `images` are wanted, with seeds from `seed` on, of `size` (width, height). `prompt` is the text
    that was sent, `loras` and `embeddings` what it calls. `units` of ControlNet must have taken
    part: of each the picture, or None where a preprocessor changes it. `checkpoint` and `vae` are
    names as the recipe has them; vae "Automatic" is the WebUI's choice.
    """

    endpoint: Literal["txt2img", "img2img"]
    payload: Mapping[str, Any]
    prompt: str
    seed: int
    images: int
    size: tuple[int, int]
    checkpoint: str
    vae: str
    loras: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    units: tuple[bytes | None, ...] = ()
