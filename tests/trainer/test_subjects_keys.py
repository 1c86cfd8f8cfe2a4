"""Names of tensors in our files against ComfyUI's own maps, for the real sizes of SD 1.5 and SDXL.

The networks are built without memory for their weights; only the matrices of LoRA are made.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("diffusers")

import torch
import transformers
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from manyshot.driver.embedded.source import find_installed
from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
from manyshot.trainer.subjects.base_model import BaseModel, Codec, Family, TextTower
from manyshot.trainer.subjects.families import PARTS
from manyshot.trainer.subjects.inversion import embedding_tensors
from manyshot.trainer.subjects.lora import prepare_lora
from manyshot.trainer.subjects.lora_files import kohya_tensors
from manyshot.trainer.subjects.original_layout import text_tensors, unet_tensors
from manyshot.trainer.subjects.token_embeddings import ExtendedEmbedding
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor, nn

FAMILIES: tuple[Family, ...] = ("sd1", "sdxl")
RANK, ALPHA = 2, 3.0
WORD = "blot-m1"
TEXT_LAYERS = {"sd1": 12, "sdxl": 12 + 32}
BLOCKS = {"sd1": 16, "sdxl": 70}  # transformer blocks of the UNet
ATTENTIONS = {"sd1": 16, "sdxl": 11}  # groups of them, each with a projection in and one out


def base_of(family: Family) -> BaseModel:
    """A base of the family's real sizes, its weights nowhere."""
    source = find_installed()
    if source is None:
        pytest.skip("ComfyUI is not installed: manyshot server install")
    tokenizer = load_tokenizer(source.folder / "comfy" / "sd1_tokenizer")
    found = PARTS[family]
    with torch.device("meta"):
        unet = UNet2DConditionModel(**found["unet"][2])
        texts = tuple(
            TextTower(tokenizer, _encoder(*found[name][1:]))
            for name in ("text_encoder", "text_encoder_2")
            if name in found
        )
    codec = Codec(lambda pixels: pixels, lambda latents: latents, nn.Identity())
    nothing = torch.empty(0)
    return BaseModel(family, "real", "0", texts, unet, codec, nothing, "epsilon", 512)


def _encoder(kind: str, values: dict[str, Any]) -> Any:
    config = transformers.CLIPTextConfig(**values)
    return getattr(transformers, kind)(config).requires_grad_(False)


def fill(module: nn.Module) -> int:
    """Give the LoRA matrices memory; how many layers have them."""
    layers = [layer for layer in module.modules() if isinstance(layer, LoraLayer)]
    for layer in layers:
        for own in (layer.lora_A, layer.lora_B):
            own.to_empty(device="cpu")
            for weight in own.parameters():
                nn.init.ones_(weight)
    return len(layers)


@dataclass(frozen=True)
class Made:
    """Files of one family. `layers`: that LoRA adapts; `vectors`: of the embedding."""

    job: Path
    layers: int
    vectors: list[Tensor]


def made(folder: Path, family: Family) -> Made:
    """Write the files for comfyui_keys.py."""
    folder.mkdir()
    base = base_of(family)
    tensors = {**unet_tensors(base), **text_tensors(base)}
    shapes = {key: list(value.shape) for key, value in tensors.items()}
    vectors = [torch.randn(3, width) for width in base.widths]
    embeddings = [ExtendedEmbedding(nn.Embedding(1, one.shape[1]), one) for one in vectors]
    save_file(embedding_tensors(base, embeddings), folder / f"{WORD}.safetensors")
    prepare_lora(base, RANK, ALPHA, text=True)
    layers = sum(
        fill(module) for module in (base.unet, *(part.encoder for part in base.text_towers))
    )
    save_file(kohya_tensors(base), folder / "lora.safetensors")
    places = {"lora": str(folder / "lora.safetensors"), "embeddings": str(folder), "word": WORD}
    (folder / "job.json").write_text(json.dumps({"shapes": shapes, **places}))
    return Made(folder / "job.json", layers, vectors)


Answers = dict[Family, tuple[Made, dict[str, Any]]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Our files of each family, and what ComfyUI said of them."""
    folder, source = tmp_path_factory.mktemp("keys"), find_installed()
    own: dict[Family, Made] = {family: made(folder / family, family) for family in FAMILIES}
    assert source is not None
    script = Path(__file__).parents[1] / "support" / "comfyui_keys.py"
    jobs = [str(one.job) for one in own.values()]
    command = [sys.executable, str(script), str(source.folder), *jobs]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()[-len(jobs) :]]
    return {family: (own[family], said) for family, said in zip(own, lines, strict=True)}


@pytest.mark.parametrize("family", FAMILIES)
def test_comfyui_knows_every_key_of_a_lora_and_its_shape(answers: Answers, family: Family) -> None:
    own, said = answers[family]
    assert own.layers == 10 * BLOCKS[family] + 2 * ATTENTIONS[family] + 6 * TEXT_LAYERS[family]
    assert said["unknown"] == []
    assert said["wrong_shape"] == []
    assert said["patched"] == own.layers
    assert not [line for line in said["said"] if "not loaded" in line]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_checkpoints_keys_are_those_that_comfyui_builds(answers: Answers, family: Family) -> None:
    _, said = answers[family]
    assert said["model"] == {"sd1": "BaseModel", "sdxl": "SDXL"}[family]
    assert said["unet"] is True
    assert all(said["text"].values())
    assert len(said["text"]) > 16 * TEXT_LAYERS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_comfyui_reads_embeddings(answers: Answers, family: Family) -> None:
    own, said = answers[family]
    for vectors, found in zip(own.vectors, said["embedding"], strict=True):
        assert torch.equal(vectors, torch.tensor(found))
