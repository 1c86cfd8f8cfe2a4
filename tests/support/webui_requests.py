"""Plain requests to a stand-in for a WebUI, as a script sends them."""

import base64
import io
import json
from typing import Any

import requests
from PIL import Image

from ..fault_webui import FaultWebui

BODY: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 4, "width": 64, "height": 64}
BODY |= {"sampler_name": "Euler"}


def ask(webui: FaultWebui, path: str = "txt2img", **more: Any) -> tuple[int, Any]:
    reply = requests.post(f"{webui.url}/sdapi/v1/{path}", json={**BODY, **more}, timeout=30)
    return reply.status_code, reply.json()


def drawn(webui: FaultWebui, **more: Any) -> tuple[list[Image.Image], dict[str, Any]]:
    """The images and `info` of a request that is answered with 200."""
    status, reply = ask(webui, **more)
    assert status == 200, reply
    return [opened(text) for text in reply["images"]], json.loads(reply["info"])


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def encoded(colour: str) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
