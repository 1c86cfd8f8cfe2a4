"""ControlNets of manyshot-tiny: names, files, and that stock ComfyUI draws with them as we do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import numpy as np
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from manyshot.core.errors import InputError
from manyshot.core.palettes import trimap_to_control
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.core.tiny_sizes import TINY, Sizes
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.embedded.source import find_installed
from manyshot.trainer.images import to_bytes
from manyshot.trainer.stable_diffusion.architecture import (
    build_controlnet,
    build_unet,
    load_tokenizer,
)
from manyshot.trainer.stable_diffusion.euler_sampling import Control, draw
from manyshot.trainer.stable_diffusion.tiny_checkpoint import load_single_file
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_model.export_controlnet import (
    ControlNetFacts,
    controlnet_tensors,
    export_controlnet,
    load_controlnet,
)

from ..support.tiny_graphs import CFG, NEGATIVE, PROMPT, SEED, STEPS, TROUBLE, drawn, stock_graph

LARGEST_FILE = 24_000_000  # bytes
FACTS = ControlNetFacts("segmentation", "ab12", {"step": 7})
DEEPER = Sizes(unet_channels=32, unet_multiples=(1, 2), unet_attention=(True, False), unet_blocks=2)
CONTROL_FILE = "test-random.safetensors"


def acting(sizes: Sizes = TINY) -> ControlNetModel:
    """A ControlNet whose zero convolutions have weights, so that it changes the picture."""
    torch.manual_seed(0)
    controlnet = build_controlnet(build_unet(sizes))
    for block in (*controlnet.controlnet_down_blocks, controlnet.controlnet_mid_block):
        torch.nn.init.normal_(block.weight, std=0.05)  # pyright: ignore[reportArgumentType]
        torch.nn.init.normal_(block.bias, std=0.05)  # pyright: ignore[reportArgumentType]
    return controlnet.eval().requires_grad_(False)


def test_it_copies_the_first_half_of_the_unet_and_begins_without_effect() -> None:
    torch.manual_seed(0)
    unet = build_unet(TINY)
    tensors = build_controlnet(unet).state_dict()
    wanted = unet.state_dict()
    shared = [key for key in wanted if key in tensors]
    for part in ("conv_in", "time_embedding", "down_blocks", "mid_block"):
        assert [key for key in shared if key.startswith(part)]
    assert all(torch.equal(tensors[key], wanted[key]) for key in shared)
    zeros = [key for key in tensors if key.startswith(("controlnet_down", "controlnet_mid"))]
    assert len(zeros) == 2 * (6 + 1)
    assert not any(tensors[key].any() for key in zeros)


def test_names_of_the_original_layout() -> None:
    found = controlnet_tensors(acting(), TINY)
    prefix = "control_model."
    assert all(key.startswith(prefix) for key in found)
    shapes = {key.removeprefix(prefix): tuple(value.shape) for key, value in found.items()}
    assert shapes["input_hint_block.0.weight"] == (16, 3, 3, 3)
    assert shapes["input_hint_block.4.weight"] == (32, 16, 3, 3)
    assert shapes["input_hint_block.12.weight"] == (256, 96, 3, 3)
    assert shapes["input_hint_block.14.weight"] == (64, 256, 3, 3)
    assert shapes["zero_convs.0.0.weight"] == (64, 64, 1, 1)
    assert shapes["middle_block_out.0.weight"] == (256, 256, 1, 1)
    assert shapes["middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1] == TINY.text_width


@pytest.mark.parametrize("sizes", [TINY, DEEPER])
def test_a_file_gives_the_network_back(tmp_path: Path, sizes: Sizes) -> None:
    before, path = acting(sizes), tmp_path / "control.safetensors"
    export_controlnet(path, before, sizes, FACTS)
    assert path.stat().st_size <= LARGEST_FILE
    wanted, found = before.state_dict(), load_controlnet(path, sizes).state_dict()
    assert set(found) == set(wanted)
    assert all(torch.equal(found[key], wanted[key].half().float()) for key in wanted)


def test_the_file_says_what_it_is_for(tmp_path: Path) -> None:
    path = tmp_path / "control.safetensors"
    export_controlnet(path, acting(), TINY, FACTS)
    with safe_open(path, "pt") as file:
        said = file.metadata()
    assert said["manyshot.control"] == "segmentation"
    assert "cat #ff6000" in said["manyshot.control_image"]
    assert said["manyshot.base_sha256"] == "0xab12"
    assert said["modelspec.license"] == "CC BY-SA 4.0"


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.safetensors"
    with pytest.raises(InputError, match="does not exist"):
        load_controlnet(path, TINY)
    with pytest.raises(InputError, match="not a ControlNet of manyshot-tiny"):
        load_controlnet(TINY_MODEL, TINY)
    export_controlnet(path, acting(), TINY, FACTS)
    with pytest.raises(InputError, match="not a ControlNet of manyshot-tiny"):
        load_controlnet(path, DEEPER)
    tensors = load_file(path)
    tensors.pop("control_model.middle_block_out.0.bias")
    save_file(tensors, path)
    with pytest.raises(InputError, match=r"middle_block_out\.0\.bias"):
        load_controlnet(path, TINY)
    path.write_bytes(b"torn")
    with pytest.raises(InputError, match="not a ControlNet of manyshot-tiny"):
        load_controlnet(path, TINY)


def control_picture() -> np.ndarray:
    """Bytes (128, 128, 3): a cat's disc with its border, left of the middle."""
    rows, columns = np.mgrid[:128, :128]
    distance = np.hypot(rows - 64, columns - 48)
    trimap = np.select([distance < 36, distance < 40], [1, 3], 2)
    return trimap_to_control(trimap, "cat")


@pytest.fixture
def served(comfyui: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """The server with the acting ControlNet and a control picture."""
    folder = comfyui.folder
    export_controlnet(folder / "models" / "controlnet" / CONTROL_FILE, acting(), TINY, FACTS)
    Image.fromarray(control_picture()).save(folder / "input" / "control.png")
    yield comfyui
    (folder / "models" / "controlnet" / CONTROL_FILE).unlink()
    (folder / "input" / "control.png").unlink()


def control_graph(strength: float = 1.0) -> dict[str, Any]:
    """`stock_graph` with ComfyUI's own ControlNet nodes between prompts and sampler."""
    graph = stock_graph()
    graph["11"] = {
        "class_type": "ControlNetLoader",
        "inputs": {"control_net_name": CONTROL_FILE},
    }
    graph["12"] = {"class_type": "LoadImage", "inputs": {"image": "control.png"}}
    graph["13"] = {
        "class_type": "ControlNetApplyAdvanced",
        "inputs": {
            **{"positive": ["2", 0], "negative": ["3", 0], "control_net": ["11", 0]},
            **{"image": ["12", 0], "strength": strength},
            **{"start_percent": 0.0, "end_percent": 1.0},
        },
    }
    graph["5"]["inputs"] |= {"positive": ["13", 0], "negative": ["13", 1]}
    return graph


def ours(strength: float) -> np.ndarray:
    """Bytes (2, 128, 128, 3) from the same files by our own sampler."""
    source = find_installed()
    assert source is not None
    networks = load_single_file(
        TINY_MODEL, load_tokenizer(source.folder / "comfy" / "sd1_tokenizer"), TINY
    )
    images = torch.from_numpy(control_picture()).movedim(-1, 0).float().div(255)
    control = Control(acting().half().float(), images.expand(2, 3, 128, 128), strength)
    pixels = draw(networks, [PROMPT] * 2, SEED, NEGATIVE, STEPS, CFG, control)
    return to_bytes(pixels).numpy()


@pytest.mark.server
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_stock_nodes_draw_what_the_trainer_draws(served: EmbeddedServer, strength: float) -> None:
    before = served.log.stat().st_size
    found = np.stack(drawn(served.url, control_graph(strength))).astype(int)
    said = served.log.read_bytes()[before:].decode()
    difference = np.abs(ours(strength).astype(int) - found)
    assert difference.max() <= 2
    assert difference.mean() < 0.2
    plain = np.stack(drawn(served.url, stock_graph())).astype(int)
    assert np.abs(plain - found).mean() > 2  # the ControlNet acts
    assert not [line for line in said.splitlines() if any(w in line.lower() for w in TROUBLE)]
