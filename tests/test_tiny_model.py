"""manyshot-tiny in the real ComfyUI's stock nodes: what is drawn, and what the log says of it."""

import io
import json
import subprocess
import sys
import uuid
from typing import Any

import numpy as np
import pytest
import requests
import websocket
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.core.tiny_sizes import TINY
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.embedded.source import find_installed
from PIL import Image

from .patience import PATIENCE

pytestmark = pytest.mark.server

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


def test_stock_nodes_draw_what_the_trainer_draws(comfyui: EmbeddedServer) -> None:
    pytest.importorskip("diffusers")
    from manyshot.trainer.base.architecture import load_tokenizer
    from manyshot.trainer.base.euler_sampling import draw
    from manyshot.trainer.base.export_checkpoint import load_single_file
    from manyshot.trainer.images import to_bytes

    before = comfyui.log.stat().st_size
    found = drawn(comfyui.url, stock_graph())
    said = comfyui.log.read_bytes()[before:].decode()
    source = find_installed()
    assert source is not None
    tokenizer = load_tokenizer(source.folder / "comfy" / "sd1_tokenizer")
    networks = load_single_file(TINY_MODEL, tokenizer, TINY)
    pixels = draw(networks, [PROMPT] * 2, SEED, NEGATIVE, STEPS, CFG)
    for ours, theirs in zip(to_bytes(pixels).numpy(), found, strict=True):
        difference = np.abs(ours.astype(int) - theirs.astype(int))
        assert difference.max() <= 3
        assert difference.mean() < 0.2
    assert np.std(found[0]) > 5  # a picture, not a flat field
    assert not [line for line in said.splitlines() if any(w in line.lower() for w in TROUBLE)]


def test_prompt_seed_and_guidance_change_the_picture(comfyui: EmbeddedServer) -> None:
    first = drawn(comfyui.url, stock_graph())[0].astype(int)
    changes = [stock_graph(seed=SEED + 1), stock_graph(cfg=1.0), stock_graph()]
    changes[2]["2"]["inputs"]["text"] = "a photo of a Bombay"
    for graph in changes:
        assert np.abs(drawn(comfyui.url, graph)[0].astype(int) - first).mean() > 1


DETECTION = """
import sys
sys.path.insert(0, "")
from comfy.cli_args import args
args.cpu = True
from comfy import supported_models
from comfy.model_detection import model_config_from_unet_config
before = list(supported_models.models)
from manyshot.comfy_nodes.tiny_model import ManyshotTiny, register
register(), register()
assert supported_models.models == [*before, ManyshotTiny]
tiny = dict(ManyshotTiny.unet_config, transformer_depth=[0, 1, 0], in_channels=4)
assert type(model_config_from_unet_config(tiny)) is ManyshotTiny
for model in before:  # each is still found as itself, or as what it was found as
    config = {"in_channels": 4, **model.unet_config}
    first = next((m for m in before if m.matches(config)), None)
    assert first and type(model_config_from_unet_config(config)) is first, model
for key in ("context_dim", "model_channels", "channel_mult", "num_res_blocks"):
    assert model_config_from_unet_config({**tiny, key: 999}) is None, key
"""


def test_no_other_model_is_taken_for_it() -> None:
    """ComfyUI's own classes come first; ours takes only what has all of its sizes."""
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI is not installed: manyshot server install")
    done = subprocess.run(
        [sys.executable, "-c", DETECTION],
        cwd=source.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
