"""A stock graph of manyshot-tiny and the images that it draws."""

import io
import json
import uuid
from typing import Any

import numpy as np
import requests
import websocket
from manyshot.core.tiny_files import TINY_MODEL
from PIL import Image

from .patience import PATIENCE

PROMPT, NEGATIVE, SEED, STEPS, CFG = "a photo of a Beagle", "a photo of a cat", 7, 6, 3.0
TROUBLE = ("warning", "missing", "unexpected", "no match", "error", "traceback")


def stock_graph(**sampler: Any) -> dict[str, Any]:
    """ComfyUI's default text-to-image graph at 128 x 128, two pictures."""
    settings = {"seed": SEED, "steps": STEPS, "cfg": CFG, "denoise": 1.0, **sampler}
    return {
        "1": _node("CheckpointLoaderSimple", ckpt_name=TINY_MODEL.name),
        "2": _node("CLIPTextEncode", clip=["1", 1], text=PROMPT),
        "3": _node("CLIPTextEncode", clip=["1", 1], text=NEGATIVE),
        "4": _node("EmptyLatentImage", width=128, height=128, batch_size=2),
        "5": _node(
            "KSampler",
            **{"model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0]},
            **{"latent_image": ["4", 0], "sampler_name": "euler", "scheduler": "normal"},
            **settings,
        ),
        "6": _node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "7": _node("PreviewImage", images=["6", 0]),
    }


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def drawn(url: str, graph: dict[str, Any]) -> list[np.ndarray]:
    """Run a graph and fetch its pictures as bytes (128, 128, 3)."""
    client = uuid.uuid4().hex
    socket = websocket.create_connection(
        f"{url.replace('http', 'ws', 1)}/ws?clientId={client}", timeout=PATIENCE
    )
    reply = requests.post(
        f"{url}/prompt", json={"prompt": graph, "client_id": client}, timeout=PATIENCE
    )
    assert reply.status_code == 200, reply.text
    while not _is_end(socket.recv()):
        pass
    socket.close()
    prompt_id = reply.json()["prompt_id"]
    history = requests.get(f"{url}/history/{prompt_id}", timeout=PATIENCE).json()[prompt_id]
    assert history["status"]["status_str"] == "success", history["status"]
    return [_fetch(url, image) for image in history["outputs"]["7"]["images"]]


def _is_end(message: str | bytes) -> bool:
    if isinstance(message, bytes):
        return False
    event = json.loads(message)
    return event["type"] == "executing" and event["data"]["node"] is None


def _fetch(url: str, image: dict[str, str]) -> np.ndarray:
    reply = requests.get(f"{url}/view", params=image, timeout=PATIENCE)
    return np.asarray(Image.open(io.BytesIO(reply.content)).convert("RGB"))
