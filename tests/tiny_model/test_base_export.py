"""The exported file: names, sizes, values, and what diffusers makes of them."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from manyshot.core.errors import InputError
from manyshot.core.tiny_sizes import SD1_SCALE_FACTOR, TINY, Sizes
from manyshot.trainer.stable_diffusion.architecture import (
    build_schedule,
    build_text_encoder,
    build_unet,
    build_vae,
)
from manyshot.trainer.stable_diffusion.euler_sampling import euler, nearest_times, normal_sigmas
from manyshot.trainer.stable_diffusion.keys import original_unet_key, original_vae_key, unet_modules
from manyshot.trainer.stable_diffusion.tiny_checkpoint import load_single_file
from safetensors import safe_open
from safetensors.torch import load_file
from tiny_model.export_checkpoint import export_single_file, original_tensors
from torch import Tensor

ALPHAS = build_schedule().alphas_cumprod
LARGEST_FILE = 48_000_000  # bytes
SHAPES = [
    TINY,
    Sizes(unet_channels=32, unet_multiples=(1, 2), unet_attention=(True, False), unet_blocks=2),
    Sizes(
        unet_channels=32,
        unet_multiples=(1, 2, 2, 2),
        unet_attention=(True, True, True, False),
        unet_blocks=2,
        text_width=64,
        text_layers=2,
        vae_width=16,
    ),
]


def tensors_of(sizes: Sizes):
    """UNet, text encoder, autoencoder, and their tensors under the original names."""
    torch.manual_seed(0)
    unet, text, vae = build_unet(sizes), build_text_encoder(sizes), build_vae(sizes)
    return unet, text, vae, original_tensors(unet, text, vae, sizes)


@pytest.mark.parametrize("sizes", SHAPES)
def test_diffusers_reads_the_original_names_back(sizes: Sizes) -> None:
    unet, text, vae, found = tensors_of(sizes)
    back = convert_ldm_unet_checkpoint(dict(found), dict(unet.config))
    wanted = unet.state_dict()
    assert set(back) == set(wanted)
    assert all(torch.equal(back[key], wanted[key].half()) for key in wanted)
    extra = 2  # vae_scale and vae_shift
    parts = (len(module.state_dict()) for module in (unet, text, vae))
    assert len(found) == sum(parts) + extra


def test_names_of_the_original_layout() -> None:
    *_, found = tensors_of(TINY)
    unet = "model.diffusion_model."
    assert found[f"{unet}input_blocks.0.0.weight"].shape == (TINY.unet_channels, 4, 3, 3)
    context = f"{unet}middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    assert found[context].shape[1] == TINY.text_width
    text = "cond_stage_model.transformer.text_model."
    assert found[f"{text}embeddings.token_embedding.weight"].shape == (49_408, TINY.text_width)
    assert f"{text}final_layer_norm.bias" in found
    assert found["first_stage_model.taesd_decoder.1.weight"].shape == (64, 4, 3, 3)
    assert found["first_stage_model.taesd_encoder.0.weight"].shape == (64, 3, 3, 3)
    assert found["first_stage_model.vae_scale"].item() == pytest.approx(SD1_SCALE_FACTOR)
    assert found["first_stage_model.vae_shift"].item() == 0


def test_unknown_tensors_are_refused() -> None:
    modules = unet_modules(TINY.unet_attention, TINY.unet_blocks)
    with pytest.raises(KeyError):
        original_unet_key("class_embedding.weight", modules)
    assert original_vae_key("decoder.layers.0.weight") == "first_stage_model.taesd_decoder.1.weight"


def test_the_file_is_small_enough_and_says_how_it_was_made(tmp_path: Path) -> None:
    *_, found = tensors_of(TINY)
    path = tmp_path / "tiny.safetensors"
    export_single_file(path, found, {"step": 7})
    assert path.stat().st_size <= LARGEST_FILE
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert json.loads(metadata["manyshot.training"]) == {"step": 7}
    assert metadata["modelspec.architecture"] == "stable-diffusion-v1"
    again = load_file(path)
    assert set(again) == set(found)
    assert all(torch.equal(again[key], found[key]) for key in found)


def test_a_file_gives_the_networks_back(tmp_path: Path) -> None:
    unet, text, vae, found = tensors_of(TINY)
    path = tmp_path / "tiny.safetensors"
    export_single_file(path, found, {})
    networks = load_single_file(path, None, TINY)  # pyright: ignore
    pairs = ((unet, networks.unet), (text, networks.text_encoder), (vae, networks.vae))
    for before, after in pairs:
        wanted = before.state_dict()
        assert all(torch.equal(v, wanted[k].half().float()) for k, v in after.state_dict().items())
    with pytest.raises(InputError, match="not a manyshot-tiny of these sizes"):
        load_single_file(path, None, SHAPES[1])  # pyright: ignore
    with pytest.raises(InputError, match="does not exist"):
        load_single_file(tmp_path / "absent", None, TINY)  # pyright: ignore


def test_noise_levels_are_sd1s() -> None:
    sigmas = normal_sigmas(20, ALPHAS)
    assert len(sigmas) == 21
    assert sigmas[0].item() == pytest.approx(14.6146, abs=1e-3)  # as ComfyUI computes them
    assert sigmas[-2].item() == pytest.approx(0.0292, abs=1e-4)
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()
    times = nearest_times(sigmas[:-1], ALPHAS)
    assert times[0] == 999
    assert times[-1] == 0


@pytest.mark.parametrize(("cfg", "wanted"), [(1.0, 2.0), (3.0, 4.0), (0.0, 1.0)])
def test_euler_ends_at_the_guided_picture(cfg: float, wanted: float) -> None:
    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    text, negative = torch.full((2, 77, 8), 2.0), torch.full((2, 77, 8), 1.0)

    def find(scaled: Tensor, _: Tensor, sigma: Tensor) -> Tensor:
        """As a UNet that knows the one picture there is, with the text's mean as its brightness."""
        picture = torch.cat([text, negative]).mean(dim=(1, 2)).view(-1, 1, 1, 1)
        return (scaled * (1 + sigma**2).sqrt() - picture) / sigma

    found = euler(find, noise, steps=20, cfg=cfg, alphas=ALPHAS)
    assert torch.allclose(found, torch.full_like(found, wanted), atol=0.05)
