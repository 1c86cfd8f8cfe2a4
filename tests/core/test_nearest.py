"""Hints by the nearest name: of what was meant, and of nothing else."""

import pytest
from manyshot.core.counted import closest_match, did_you_mean

TINY = "manyshot-tiny.safetensors"
SD15, SDXL = "v1-5-pruned-emaonly.safetensors", "sd_xl_base_1.0.safetensors"
PUBLIC = [
    "flux1-dev-fp8.safetensors",
    "flux1-schnell.safetensors",
    "qwen_image_fp8_e4m3fn.safetensors",
    "z_image_turbo_bf16.safetensors",
    "model.safetensors",
    "ae.safetensors",
    "sd3.5_large.safetensors",
    "dreamshaper_8.safetensors",
    "v1-5-pruned-emaonly.ckpt",
    SD15,
    SDXL,
]


@pytest.mark.parametrize("name", PUBLIC)
def test_another_model_is_no_misspelt_tiny(name: str) -> None:
    assert closest_match(name, [TINY]) is None
    assert did_you_mean(name, [TINY]) == f" There are: {TINY}."


@pytest.mark.parametrize(
    ("name", "candidates", "match"),
    [
        ("manyshot-tny.safetensors", [TINY, SD15], TINY),
        ("Manyshot_Tiny.safetensors", [TINY, SD15], TINY),
        ("manyshot-tiny.ckpt", [TINY, SD15], TINY),
        ("v1-5-pruned-emaonly-fp16.safetensors", [TINY, SD15, SDXL], SD15),
        ("sd_xl_base_1.0_0.9vae.safetensors", [TINY, SD15, SDXL], SDXL),
        ("tiny.safetensors", [TINY, SD15], TINY),
        ("sd15.safetensor", ["other.safetensors", "sd15.safetensors"], "sd15.safetensors"),
        ("sd15.safetenors", ["other.safetensors", "sd15.safetensors"], "sd15.safetensors"),
        ("cat.png", ["cat.jpg", "dog.png"], "cat.jpg"),
        ("cat.png", ["cat.jpg", "cat.png", "cat.bmp"], "cat.png"),
        ("dog.png", ["beach.png"], None),
        ("Sampler.stepz", ["Sampler.steps", "Sampler.seed"], "Sampler.steps"),
        ("clases", ["classes", "class_file"], "classes"),
        ("", ["classes"], None),
        (".png", ["a.png"], None),
    ],
)
def test_the_nearest_name(name: str, candidates: list[str], match: str | None) -> None:
    assert closest_match(name, candidates) == match
