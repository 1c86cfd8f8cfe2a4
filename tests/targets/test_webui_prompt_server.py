"""WebUI Prompt in the real ComfyUI: what it encodes is what stock nodes encode."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.core.tiny_sizes import TINY
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.embedded.source import find_installed
from safetensors import safe_open
from safetensors.numpy import save_file

from ..support.server_client import Client
from ..support.tiny_graphs import drawn, stock_graph

pytestmark = pytest.mark.server
STEPS = 4  # of the scheduler "normal": at 0, 1/3, 2/3 and the end of the sampling
LORA, WORD = "webui-m1", "webui-word"
CAT, DOG = "a photo of a cat", "a photo of a dog"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def webui(text: str, wired: bool = True, **inputs: Any) -> dict[str, Any]:
    """The stock graph with WebUI Prompt as its positive."""
    given = {"steps": STEPS, "scheduler": "normal", "denoise": 1.0, "weighting": "comfyui"}
    nodes = stock_graph(steps=STEPS)
    nodes["2"] = node("ManyshotWebUIPrompt", clip=["1", 1], text=text, **{**given, **inputs})
    if wired:
        nodes["2"]["inputs"]["model"] = ["1", 0]
        nodes["5"]["inputs"]["model"] = ["2", 1]
    return nodes


def stock(text: str) -> dict[str, Any]:
    nodes = stock_graph(steps=STEPS)
    nodes["2"]["inputs"]["text"] = text
    return nodes


def switched(first: str, second: str, percent: float) -> dict[str, Any]:
    """Two prompts, one behind the other, by stock nodes."""
    nodes = stock(first)
    nodes["21"] = node("CLIPTextEncode", clip=["1", 1], text=second)
    nodes["22"] = node("ConditioningSetTimestepRange", conditioning=["2", 0], start=0, end=percent)
    nodes["23"] = node("ConditioningSetTimestepRange", conditioning=["21", 0], start=percent, end=1)
    nodes["24"] = node("ConditioningCombine", conditioning_1=["22", 0], conditioning_2=["23", 0])
    nodes["5"]["inputs"]["positive"] = ["24", 0]
    return nodes


@cache
def pictures(url: str, graph: str) -> list[np.ndarray]:
    """What a graph, as JSON, draws: each is drawn once, small and alone."""
    nodes = json.loads(graph)
    nodes["4"]["inputs"] |= {"width": 64, "height": 64, "batch_size": 1}
    return drawn(url, nodes)


def difference(comfyui: EmbeddedServer, one: dict[str, Any], other: dict[str, Any]) -> np.ndarray:
    """Between the pictures of two graphs, for each number."""
    both = [pictures(comfyui.url, json.dumps(nodes))[0] for nodes in (one, other)]
    return np.abs(np.subtract(*both, dtype=float))


def same(comfyui: EmbeddedServer, one: dict[str, Any], other: dict[str, Any]) -> bool:
    return not difference(comfyui, one, other).any()


@pytest.fixture(scope="module")
def numbers() -> dict[str, Any]:
    """What tests/support/webui_numbers.py finds."""
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI is not installed: manyshot server install")
    done = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).parents[1] / "support" / "webui_numbers.py"),
            str(TINY_MODEL),
        ],
        cwd=source.folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_vectors_are_those_of_clip_text_encode(numbers: dict[str, Any]) -> None:
    assert numbers["same"]
    assert all(numbers["same"].values()), numbers["same"]


def test_comfyui_reads_the_weights_of_any_words(numbers: dict[str, Any]) -> None:
    assert numbers["tokens"] == 0


def test_and_is_the_weighted_sum_of_noise_predictions(numbers: dict[str, Any]) -> None:
    assert len(numbers["sums"]) == 15
    assert max(numbers["sums"]) < 1e-5
    assert numbers["untouched"]


def test_and_in_the_wrong_place_is_refused(numbers: dict[str, Any]) -> None:
    assert "connected to a sampler's negative" in numbers["negative"]
    assert "do not sum to 1, which needs a negative prompt" in numbers["alone"]


def test_the_webuis_own_weighting_is_its_formula(numbers: dict[str, Any]) -> None:
    assert numbers["webui"] < 1e-6


@pytest.mark.parametrize("wired", [True, False])
def test_a_plain_prompt_draws_what_clip_text_encode_draws(
    comfyui: EmbeddedServer, wired: bool
) -> None:
    assert same(
        comfyui, webui("a photo of a (Beagle:1.3)", wired), stock("a photo of a (Beagle:1.3)")
    )


def test_an_edit_switches_between_steps(comfyui: EmbeddedServer) -> None:
    """[cat:dog:0.5] of 4 steps: as the WebUI draws, three with the cat and one with the dog."""
    edited = webui("a photo of a [cat:dog:0.5]")
    assert same(comfyui, edited, switched(CAT, DOG, 0.9))
    assert not same(comfyui, edited, switched(CAT, DOG, 0.5))
    assert not same(comfyui, edited, stock(CAT))
    assert not same(comfyui, edited, stock(DOG))
    assert same(comfyui, webui("a photo of a [cat:dog:0]"), stock(DOG))
    assert same(comfyui, webui("a photo of a [cat:dog:4]"), stock(CAT))


@pytest.mark.parametrize(
    ("scheduler", "percent", "early_or_late"), [("simple", 0.4, 0.6), ("karras", 0.6, 0.2)]
)
def test_an_edit_follows_the_scheduler(
    comfyui: EmbeddedServer, scheduler: str, percent: float, early_or_late: float
) -> None:
    """Two steps with the cat: their end is at another share of the sampling in each scheduler."""
    edited = webui("a photo of a [cat:dog:1]", scheduler=scheduler)
    right, wrong = (switched(CAT, DOG, share) for share in (percent, early_or_late))
    for nodes in (edited, right, wrong):
        nodes["5"]["inputs"]["scheduler"] = scheduler
    assert same(comfyui, edited, right)
    assert not same(comfyui, edited, wrong)


def test_an_edit_counts_the_steps_of_full_denoising(comfyui: EmbeddedServer) -> None:
    """Steps 5 to 8 of 8 are taken: three with the cat, as the WebUI counts them from its first."""
    edited, by_hand = webui("a photo of a [cat:dog:0.25]", denoise=0.5), switched(CAT, DOG, 0.93)
    for nodes in (edited, by_hand):
        nodes["5"]["inputs"]["denoise"] = 0.5
    assert same(comfyui, edited, by_hand)


def test_a_part_with_two_halves_is_itself(comfyui: EmbeddedServer) -> None:
    halves = webui(f"{CAT} :0.5 AND {CAT} :0.5")
    assert difference(comfyui, halves, stock(CAT)).max() <= 1
    pushed = webui(f"{CAT} AND NOT on grass :0.5")
    assert difference(comfyui, pushed, stock(CAT)).mean() > 0.5


@pytest.fixture(scope="module")
def files(comfyui: EmbeddedServer) -> Iterator[tuple[str, str]]:
    """The names of a LoRA and of an embedding with a strong effect, on the server."""
    draw = np.random.default_rng(0)
    layers = [
        "unet_input_blocks_3_1_transformer_blocks_0_attn2_to_q",
        "te_text_model_encoder_layers_0_mlp_fc1",
    ]
    keys = [
        "model.diffusion_model.input_blocks.3.1.transformer_blocks.0.attn2.to_q.weight",
        "cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight",
    ]
    tensors: dict[str, np.ndarray] = {}
    with safe_open(TINY_MODEL, "numpy") as model:
        for layer, key in zip(layers, keys, strict=True):
            rows, columns = model.get_slice(key).get_shape()[:2]
            tensors[f"lora_{layer}.lora_up.weight"] = draw.normal(0, 0.5, (rows, 2))
            tensors[f"lora_{layer}.lora_down.weight"] = draw.normal(0, 0.5, (2, columns))
    words = {"emb_params": draw.normal(0, 0.05, (2, TINY.text_width))}
    models = comfyui.folder / "models"
    paths = [
        models / "loras" / f"{LORA}.safetensors",
        models / "embeddings" / f"{WORD}.safetensors",
    ]
    for path, given in zip(paths, (tensors, words), strict=True):
        save_file({key: value.astype(np.float32) for key, value in given.items()}, path)
    yield LORA, WORD
    for path in paths:
        path.unlink()


def test_a_lora_is_put_on_as_by_lora_loader(
    comfyui: EmbeddedServer, files: tuple[str, str]
) -> None:
    ours = webui(f"{DOG}<lora:{files[0]}:0.7:0.4>")
    ours["3"]["inputs"]["clip"] = ["2", 2]
    theirs = stock(DOG)
    strengths = {"strength_model": 0.4, "strength_clip": 0.7}
    name = f"{files[0]}.safetensors"
    theirs["11"] = node("LoraLoader", model=["1", 0], clip=["1", 1], lora_name=name, **strengths)
    theirs["2"]["inputs"]["clip"] = theirs["3"]["inputs"]["clip"] = ["11", 1]
    theirs["5"]["inputs"]["model"] = ["11", 0]
    assert same(comfyui, ours, theirs)
    for strength in (0.0, 0.7):  # each of the two strengths has an effect
        one_less = webui(f"{DOG}<lora:{files[0]}:{strength}:{0.7 - strength}>")
        assert not same(comfyui, one_less, stock(DOG))
        assert not same(comfyui, one_less, theirs)


def test_an_embedding_goes_by_its_bare_name(
    comfyui: EmbeddedServer, files: tuple[str, str]
) -> None:
    named = stock(f"a photo of a (embedding:{files[1]}:1.2), red")
    assert same(comfyui, webui(f"a photo of a ({files[1].upper()}:1.2), red"), named)
    assert not same(comfyui, named, stock(f"a photo of a ({files[1]}:1.2), red"))


@pytest.fixture
def client(comfyui: EmbeddedServer) -> Iterator[Client]:
    made = Client(comfyui.url)
    yield made
    made.socket.close()


@pytest.mark.parametrize(
    ("text", "wired", "said"),
    [
        (
            "a <lora:webui-m2:0.8>",
            True,
            "uses the LoRA 'webui-m2', which this server does not have. Did you mean 'webui-m1'?",
        ),
        (
            "a <lora:../webui-m1>",
            True,
            "uses the LoRA '../webui-m1', which this server does not have.",
        ),
        ("a <lora:webui-m1:strong>", True, "has the strength 'strong': write a number"),
        ("a <lora:webui-m1>", False, "has a LoRA, which needs the model"),
        ("a <hypernet:x:1>", True, "is a hypernetwork"),
        ("a AND b", False, "has AND, which needs the model"),
        ("a cat:1.2", False, "has a weight at the end, which needs the model"),
        ("a [b:c:0.5]", False, "has an edit such as [from:to:0.5] or [a|b], which needs the model"),
        ("(wait:...)", True, "weight '...', which is not a number"),
    ],
)
@pytest.mark.usefixtures("files")
def test_what_cannot_be_is_said_before_anything_is_queued(
    client: Client, text: str, wired: bool, said: str
) -> None:
    reply = client.post(webui(text, wired))
    assert reply.status_code == 400
    (error, *_) = reply.json()["node_errors"]["2"]["errors"]
    assert said in error["details"]


@pytest.mark.usefixtures("files")
def test_the_words_alone(client: Client) -> None:
    text = "a [red:blue:2] (dog:1.3)<lora:webui-m1:0> BREAK on \\(grass\\) AND a cat :-1 # note"
    nodes = webui(text)
    nodes["8"] = node("PreviewAny", source=["2", 3])
    del nodes["7"]
    run = client.run({key: nodes[key] for key in ("1", "2", "8")})
    assert run.error is None
    assert run.outputs["8"]["text"] == ["a blue dog, on (grass)"]


def test_a_model_that_is_not_wired_says_so(client: Client) -> None:
    nodes = webui(CAT, wired=False)
    nodes["5"]["inputs"]["model"] = ["2", 1]
    assert "'model' is not connected" in (client.run(nodes).error or "")
