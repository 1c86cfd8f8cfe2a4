"""manyshot-tiny in the real ComfyUI's stock nodes: what is drawn, and what the log says of it."""

import subprocess
import sys

import numpy as np
import pytest
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.core.tiny_sizes import TINY
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.embedded.source import find_installed

from ..support.patience import PATIENCE
from ..support.tiny_graphs import CFG, NEGATIVE, PROMPT, SEED, STEPS, TROUBLE, drawn, stock_graph

pytestmark = pytest.mark.server


def test_stock_nodes_draw_what_the_trainer_draws(comfyui: EmbeddedServer) -> None:
    pytest.importorskip("diffusers")
    from manyshot.trainer.images import to_bytes
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
    from manyshot.trainer.stable_diffusion.euler_sampling import draw
    from manyshot.trainer.stable_diffusion.tiny_checkpoint import load_single_file

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
