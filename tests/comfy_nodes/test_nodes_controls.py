"""The nodes of regions, ControlNets, soft edges and strengths inside of a real ComfyUI."""

import io
import uuid
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
import requests
from manyshot.core.denoise import drawn_strength
from manyshot.core.errors import InputError
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png
from manyshot.core.tiny_files import TINY_CONTROLNETS, TINY_MODEL
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.run import run
from PIL import Image
from safetensors.numpy import save_file

from ..support.family_headers import CONTROL, ldm
from ..support.fault_runs import Scenes
from ..support.server_client import Client
from ..support.tiny_graphs import drawn, stock_graph

pytestmark = pytest.mark.server
SEGMENTATION = TINY_CONTROLNETS["segmentation"].name
CLASSES = ("background", "cat", "dog")


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


@pytest.fixture
def client(comfyui: EmbeddedServer) -> Iterator[Client]:
    made = Client(comfyui.url)
    yield made
    made.socket.close()


def shown(client: Client, graph: dict[str, Any], name: str = "show") -> list[np.ndarray]:
    """Run a graph; the pictures of its preview as bytes (height, width, 3)."""
    found = client.run(graph)
    assert found.error is None
    files = [client.view(**file) for file in found.outputs[name]["images"]]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]


@pytest.fixture
def scene(comfyui: EmbeddedServer) -> Iterator[str]:
    """A cat with an open outline and a dog, as a folder of pairs in the server's input."""
    labels = np.zeros((16, 24), np.uint8)
    labels[2:10, 2:10] = 255
    labels[4:8, 4:8] = 1
    labels[12:, 16:] = 2
    folder = comfyui.folder / "input" / f"test-{uuid.uuid4().hex}"
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    Image.new("RGB", (24, 16), "#406080").save(folder / "images" / "a.png")
    (folder / "masks" / "a.png").write_bytes(encode_png(LabelMask(labels, CLASSES)))
    yield folder.name
    rmtree(folder)


def region(folder: str, **inputs: Any) -> dict[str, Any]:
    settings = {"layout": "auto", "first": 0, "count": 1, "times": 1}
    given = {"region": "objects", "classes": "", "border": "out", "grow": 0, **inputs}
    return {
        "load": node("ManyshotLoadLabelled", folder=folder, **settings),
        "of": node("ManyshotMaskOf", mask=["load", 1], mask_classes=["load", 2], **given),
        "image": node("MaskToImage", mask=["of", 0]),
        "show": node("PreviewImage", images=["image", 0]),
    }


@pytest.mark.parametrize(
    ("inputs", "area"),
    [
        ({}, 16 + 32),
        ({"border": "in"}, 64 + 32),
        ({"region": "background"}, 16 * 24 - 64 - 32),
        ({"region": "classes", "classes": "# all cats\ncat"}, 16),
        ({"region": "classes", "classes": "cat", "grow": 1}, 36),
        ({"region": "classes", "classes": "cat", "grow": -1}, 4),
    ],
)
def test_regions_of_a_label_mask(
    client: Client, scene: str, inputs: dict[str, Any], area: int
) -> None:
    (found,) = shown(client, region(scene, **inputs))
    assert set(np.unique(found).tolist()) == {0, 255}
    assert (found[..., 0] == 255).sum() == area


def test_the_region_of_a_plain_mask_is_its_object(client: Client) -> None:
    graph = region("")
    graph["load"] = node("SolidMask", value=0.5, width=8, height=8)
    graph["of"]["inputs"] |= {"mask": ["load", 0]}
    del graph["of"]["inputs"]["mask_classes"]
    assert (shown(client, graph)[0] == 255).all()


def test_a_class_that_the_mask_lacks_is_named(client: Client, scene: str) -> None:
    error = client.run(region(scene, region="classes", classes="cats")).error
    assert error is not None
    assert error.startswith("The mask has no class named 'cats'. Did you mean 'cat'?")


@pytest.mark.parametrize(
    ("graph", "name", "sentence"),
    [
        (region("missing", region="classes"), "of", "needs the names of classes"),
        (
            {
                "of": node("ManyshotMixedStrengths", strengths="0.5, 2", seed=0),
                "show": node("PreviewAny", source=["of", 0]),
            },
            "of",
            "The strength 2 is not between 0 and 1",
        ),
    ],
)
def test_wrong_text_is_refused_before_the_run(
    client: Client, graph: dict[str, Any], name: str, sentence: str
) -> None:
    reply = client.post(graph)
    assert reply.status_code == 400
    assert sentence in reply.json()["node_errors"][name]["errors"][0]["details"]


def test_every_image_draws_its_strength_by_its_seed(client: Client) -> None:
    seeds = node("ManyshotClassPrompts", classes="cat", templates="a {class_name}", contexts="")
    seeds["inputs"] |= {"lists": "", "negative": "", "images_per_class": 6, "seed": 3}
    graph = {
        "prompts": seeds,
        "seeds": node("PreviewAny", source=["prompts", 3]),
        "of": node("ManyshotMixedStrengths", strengths="0.2, 0.9", seed=["prompts", 3]),
        "show": node("PreviewAny", source=["of", 0]),
    }
    outputs = client.run(graph).outputs
    wanted = [drawn_strength((0.2, 0.9), int(seed)) for seed in outputs["seeds"]["text"]]
    assert [float(text) for text in outputs["show"]["text"]] == wanted
    assert len(set(wanted)) == 2


def edges(size: int, sigma: float, gain: float) -> dict[str, Any]:
    """Soft edges of a black image with a grey half."""
    return {
        "left": node("EmptyImage", width=size // 2, height=size, batch_size=1, color=0),
        "right": node("EmptyImage", width=size // 2, height=size, batch_size=1, color=0x800000),
        "image": node(
            "ImageStitch",
            image1=["left", 0],
            image2=["right", 0],
            direction="right",
            match_image_size=False,
            spacing_width=0,
            spacing_color="white",
        ),
        "edges": node("ManyshotSoftEdges", image=["image", 0], sigma=sigma, gain=gain),
        "show": node("PreviewImage", images=["edges", 0]),
    }


@pytest.mark.parametrize("sigma", [0.1, 2.0, 16.0])
@pytest.mark.parametrize("size", [64, 256])
def test_a_step_has_its_height_at_every_scale_and_size(
    client: Client, sigma: float, size: int
) -> None:
    (found,) = shown(client, edges(size, sigma, 1.0))
    assert found.shape == (size, size, 3)
    assert (found == found[..., :1]).all()
    assert abs(int(found.max()) - 0x80) <= 1
    assert found[:, [0, -1]].max() == 0


def test_gain_makes_edges_brighter_up_to_white(client: Client) -> None:
    (found,) = shown(client, edges(64, 2.0, 5.0))
    assert found.max() == 255


def controlled(name: str = SEGMENTATION, **changes: Any) -> dict[str, Any]:
    """The stock graph with our ControlNet, an orange control image."""
    nodes = stock_graph(steps=2)
    given = {"strength": 0.8, "start_percent": 0.0, "end_percent": 0.9, "acts_on": "both"}
    nodes["8"] = node("EmptyImage", width=128, height=128, batch_size=1, color=0xFF6000)
    links = {"positive": ["2", 0], "negative": ["3", 0], "image": ["8", 0], "model": ["1", 0]}
    nodes["9"] = node("ManyshotControlNet", control_net_name=name, **given | links | changes)
    nodes["5"]["inputs"] |= {"positive": ["9", 0], "negative": ["9", 1]}
    return nodes


def test_our_controlnet_draws_what_stock_nodes_draw(comfyui: EmbeddedServer) -> None:
    stock = controlled()
    inputs = stock["9"]["inputs"]
    del inputs["control_net_name"], inputs["acts_on"], inputs["model"]
    stock["10"] = node("ControlNetLoader", control_net_name=SEGMENTATION)
    stock["9"] = node("ControlNetApplyAdvanced", control_net=["10", 0], **inputs)
    found, wanted = drawn(comfyui.url, controlled()), drawn(comfyui.url, stock)
    assert np.array_equal(found, wanted)
    none = drawn(comfyui.url, controlled(strength=0.0))
    assert np.array_equal(none, drawn(comfyui.url, stock_graph(steps=2)))
    assert np.abs(np.subtract(none, found, dtype=float)).mean() > 2
    positive = drawn(comfyui.url, controlled(acts_on="positive"))
    inputs = stock["5"]["inputs"]
    inputs["negative"] = ["3", 0]
    assert np.array_equal(positive, drawn(comfyui.url, stock))
    assert not np.array_equal(positive, found)


@pytest.fixture
def controlnets(comfyui: EmbeddedServer) -> Iterator[Path]:
    """The server's folder of ControlNets, with one for SDXL that holds next to no weights."""
    folder = comfyui.folder / "models" / "controlnet"
    shapes = ldm("control_model.", 320, 2048, 2816) | CONTROL
    path = folder / "test-sdxl.safetensors"
    save_file({name: np.zeros(shape, np.int8) for name, shape in shapes.items()}, path)
    odd = folder / "test-odd.safetensors"
    save_file({"x": np.zeros(1, np.int8)}, odd)
    yield folder
    path.unlink()
    odd.unlink()


@pytest.mark.usefixtures("controlnets")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "test-sdxl.safetensors",
            "test-sdxl.safetensors is a ControlNet for SDXL, but the connected model is "
            "manyshot-tiny. Choose one for manyshot-tiny: manyshot-tiny-canny.safetensors, "
            "manyshot-tiny-segmentation.safetensors.",
        ),
        ("test-odd.safetensors", "test-odd.safetensors contains no ControlNet that this ComfyUI"),
    ],
)
def test_what_cannot_steer_the_model_is_told(client: Client, name: str, sentence: str) -> None:
    error = client.run(controlled(name)).error
    assert error is not None
    assert error.startswith(sentence)


def test_the_server_tells_its_families(comfyui: EmbeddedServer, controlnets: Path) -> None:
    said = requests.get(f"{comfyui.url}/manyshot/families?../../x", timeout=60).json()
    assert said["checkpoints"][TINY_MODEL.name] == {"kind": "model", "family": "manyshot-tiny"}
    assert said["controlnet"]["test-sdxl.safetensors"]["family"] == "SDXL"
    assert said["controlnet"]["test-odd.safetensors"] == {"kind": "model", "family": None}


def test_a_recipe_with_a_wrong_pair_is_refused_before_anything_is_queued(
    tmp_path: Path, comfyui: EmbeddedServer, controlnets: Path
) -> None:
    Image.new("RGB", (128, 128)).save(tmp_path / "a.png")
    bind = {
        "Control Image.image": {"file": str(tmp_path / "a.png")},
        "ControlNet.control_net_name": "test-sdxl.safetensors",
    }
    given = {"workflow": "control_segmentation", "output": str(tmp_path / "out"), "bind": bind}
    given["servers"] = [comfyui.url]
    with pytest.raises(
        InputError, match=r"control_segmentation, node 4 .*is a ControlNet for SDXL"
    ):
        run(parse_recipe(given, "recipe"), Scenes())
    assert not (tmp_path / "out" / "images").exists()
