"""Families of model files, by the shapes that real architectures have."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manyshot.core.model_family import (
    TRANSFORMER,
    ModelFacts,
    Shapes,
    UnetSizes,
    explain_incompatibility,
    file_facts,
    read_facts,
    unet_family,
)
from manyshot.core.tiny_files import TINY_CONTROLNETS, TINY_MODEL
from safetensors.numpy import save_file

from ..support.family_headers import CONTROL, ldm

CHECKPOINT = "model.diffusion_model."
LORA = {
    "lora_controlnet": (0,),
    "input_blocks.0.0.up": (320, 16),
    "input_blocks.0.0.down": (16, 4, 3, 3),
    "input_blocks.4.1.transformer_blocks.0.attn2.to_k.up": (640, 16),
    "input_blocks.4.1.transformer_blocks.0.attn2.to_k.down": (16, 2048),
}


@pytest.mark.parametrize(
    ("shapes", "kind", "family"),
    [
        (ldm(CHECKPOINT, 320, 768), "model", "SD 1.x"),
        (ldm(CHECKPOINT, 320, 1024), "model", "SD 2.x"),
        (ldm(CHECKPOINT, 320, 1024, 2048), "model", "SD 2.x"),  # unCLIP
        (ldm(CHECKPOINT, 320, 2048, 2816), "model", "SDXL"),
        (ldm(CHECKPOINT, 320, 2048, 5632), "model", None),  # Kolors
        (ldm(CHECKPOINT, 384, 1280, 2560), "model", "SDXL refiner"),
        (ldm("", 320, 768), "model", "SD 1.x"),
        (ldm("control_model.", 320, 768) | CONTROL, "ControlNet", "SD 1.x"),
        (ldm("control_model.", 320, 1024) | CONTROL, "ControlNet", "SD 2.x"),
        (ldm("control_model.", 512, 768) | CONTROL, "ControlNet", None),
        (LORA, "control LoRA", "SDXL"),
        (
            {"body.0.block1.weight": (320, 320, 3, 3), "conv_in.weight": (320, 192, 3, 3)},
            "T2I adapter",
            "SD 1.x",
        ),
        (
            {
                "adapter.body.0.resnets.0.block1.weight": (320, 320, 3, 3),
                "adapter.conv_in.weight": (320, 768, 3, 3),
            },
            "T2I adapter",
            "SDXL",
        ),
        ({"body.0.in_conv.weight": (80, 192, 1, 1)}, "T2I adapter", "SD 1.x"),
        ({"controlnet_blocks.0.weight": (3072, 3072)}, "ControlNet", TRANSFORMER),
        ({"model.diffusion_model.joint_blocks.0.x.weight": (1, 1)}, "model", TRANSFORMER),
        ({"lora_unet_mid_block.lora_up.weight": (320, 4)}, "model", None),
        ({}, "model", None),
    ],
)
def test_what_shapes_tell(shapes: Shapes, kind: str, family: str | None) -> None:
    assert read_facts(shapes) == ModelFacts(kind, family)


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("SD 1.x", {"cross_attention_dim": 768}),
        ("SD 2.x", {"cross_attention_dim": 1024}),
        (
            "SDXL",
            {
                "cross_attention_dim": 2048,
                "block_out_channels": (320, 640, 1280),
                "down_block_types": ("DownBlock2D", *["CrossAttnDownBlock2D"] * 2),
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": 256,
                "projection_class_embeddings_input_dim": 2816,
            },
        ),
    ],
)
def test_controlnets_of_diffusers(family: str, changes: dict[str, Any]) -> None:
    diffusers = pytest.importorskip("diffusers")
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        net = diffusers.ControlNetModel(attention_head_dim=8, **changes)
    shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    assert read_facts(shapes) == ModelFacts("ControlNet", family)


@pytest.mark.parametrize("path", [TINY_MODEL, *TINY_CONTROLNETS.values()])
def test_files_that_manyshot_brings(path: Path) -> None:
    kind = "model" if path == TINY_MODEL else "ControlNet"
    assert file_facts(path) == ModelFacts(kind, "manyshot-tiny")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 9) + b'{"a": {}}',
    ],
)
def test_damaged_files_say_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    assert file_facts(path) is None


def test_other_files_are_not_opened(tmp_path: Path) -> None:
    assert file_facts(tmp_path / "net.pth") is None
    assert file_facts(tmp_path / "missing.safetensors") is None


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    for channels, family in ((320, "SD 1.x"), (321, None)):
        shapes = ldm("control_model.", channels, 768) | CONTROL
        save_file({name: np.zeros(shape, np.int8) for name, shape in shapes.items()}, path)
        assert file_facts(path) == ModelFacts("ControlNet", family)


def test_sizes_that_are_not_known_do_not_tell() -> None:
    assert unet_family(UnetSizes(None, 768)) == "SD 1.x"
    assert unet_family(UnetSizes(320, None)) is None


@pytest.mark.parametrize(
    ("control", "model", "others", "sentence"),
    [
        ("SDXL", "SDXL", [], None),
        (None, "SDXL", [], None),
        ("SDXL", None, [], None),
        ("SDXL", "SD 1.x", ["b", "a"], "n is a ControlNet for SDXL, but m is SD 1.x. Choose one"),
        ("SDXL", "SD 1.x", ["b", "a"], "for SD 1.x: a, b."),
        (TRANSFORMER, "SD 1.x", [], "There is none for SD 1.x: put one into models/controlnet."),
    ],
)
def test_pairs(
    control: str | None, model: str | None, others: list[str], sentence: str | None
) -> None:
    found = explain_incompatibility("n", ModelFacts("ControlNet", control), "m", model, others)
    assert found is None if sentence is None else sentence in str(found)
