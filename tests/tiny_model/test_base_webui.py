"""manyshot-tiny as files of AUTOMATIC1111's WebUI: what they hold, and what is left alone."""

import errno
import json
import os
import pickletools
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers.loaders.single_file_utils import create_unet_diffusers_config_from_ldm
from manyshot.cli import app
from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.core.tiny_sizes import SD1_SCALE_FACTOR, TINY, Sizes
from manyshot.driver.targets.webui.webui_settings import WebUISettings
from manyshot.trainer.stable_diffusion import export_webui as export
from manyshot.trainer.stable_diffusion.architecture import build_schedule, build_unet, build_vae
from manyshot.trainer.stable_diffusion.export_webui import (
    TAESD,
    export_webui,
    taesd_files,
    text_encoder_files,
    webui_folder,
)
from manyshot.trainer.stable_diffusion.keys import original_vae_key
from manyshot.trainer.stable_diffusion.webui_config import model_config
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel
from typer.testing import CliRunner

CHECKPOINTS = "models/Stable-diffusion"
HALVES = ("taesd_decoder.pth", "taesd_encoder.pth")
WIDE = Sizes(
    unet_channels=32,
    unet_multiples=(1, 2, 2, 2),
    unet_attention=(True, True, True, False),
    unet_blocks=2,
    text_width=64,
    text_layers=2,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A WebUI that holds no more than what makes it one."""
    (tmp_path / "webui" / CHECKPOINTS).mkdir(parents=True)
    (tmp_path / "webui" / "launch.py").touch()
    return tmp_path / "webui"


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer").mkdir()
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (tmp_path / "tokenizer" / name).write_text(f"the {name}")
    return tmp_path / "tokenizer"


@pytest.fixture
def put(folder: Path, tokenizer: Path) -> Callable[[], list[Path]]:
    return lambda: export_webui(folder, TINY_MODEL, tokenizer, TINY)


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return load_file(TINY_MODEL)


class Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class Block(nn.Module):
    """TAESD's: three convolutions, and the input added to them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(conv(), nn.ReLU(), conv(), nn.ReLU(), conv())

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(x) + x)


def conv(inputs: int = 64, outputs: int = 64, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, stride=stride, bias=bias)


def decoder() -> nn.Sequential:
    doubled = [Block(), Block(), Block(), nn.Upsample(scale_factor=2), conv(bias=False)]
    layers = [Clamp(), conv(4), nn.ReLU(), *doubled]
    for _ in range(2):
        layers += [Block(), Block(), Block(), nn.Upsample(scale_factor=2), conv(bias=False)]
    return nn.Sequential(*layers, Block(), conv(outputs=3))


def encoder() -> nn.Sequential:
    layers = [conv(3), Block()]
    for _ in range(3):
        layers += [conv(stride=2, bias=False), Block(), Block(), Block()]
    return nn.Sequential(*layers, conv(outputs=4))


@torch.no_grad()
def test_taesds_own_classes_decode_and_encode_as_ours_do(tensors: dict[str, Tensor]) -> None:
    vae = build_vae(TINY)
    vae.load_state_dict({k: tensors[original_vae_key(k)].float() for k in vae.state_dict()})
    files = taesd_files(tensors)
    decode, encode = decoder(), encoder()
    for half, name in ((decode, HALVES[0]), (encode, HALVES[1])):
        half.load_state_dict(torch.load(BytesIO(files[name]), weights_only=True), strict=True)
    latents = torch.randn(2, 4, 4, 6, generator=torch.Generator().manual_seed(0))
    pixels = decode(latents)
    torch.testing.assert_close(pixels * 2 - 1, vae.decoder(latents), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(encode(pixels), vae.encoder(pixels * 2 - 1), atol=1e-4, rtol=1e-4)


def test_the_checkpoints_scale_undoes_comfyuis_and_nothing_else(tensors: dict[str, Tensor]) -> None:
    assert tensors["first_stage_model.vae_scale"].item() == pytest.approx(SD1_SCALE_FACTOR)
    assert tensors["first_stage_model.vae_shift"].item() == 0


@pytest.mark.parametrize("name", HALVES)
def test_the_safety_check_of_every_webui_knows_all_that_is_in_a_file(
    tensors: dict[str, Tensor], name: str
) -> None:
    with ZipFile(BytesIO(taesd_files(tensors)[name])) as file:
        numbers = {f"archive/data/{i}" for i in range(67)}
        assert set(file.namelist()) == {"archive/data.pkl", "archive/version"} | numbers
        codes = pickletools.genops(file.read("archive/data.pkl"))
        named = {value for code, value, _ in codes if code.name in ("GLOBAL", "STACK_GLOBAL")}
    known = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch FloatStorage"}
    assert named == known


@pytest.mark.parametrize("sizes", [TINY, WIDE])
def test_the_yaml_says_the_unets_sizes(sizes: Sizes) -> None:
    said = model_config(sizes, Path("/clip"))
    found = create_unet_diffusers_config_from_ldm(said, {})
    found["sample_size"] = said["model"]["params"]["unet_config"]["params"]["image_size"]
    wanted = {key: build_unet(sizes).config[key] for key in found}
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(wanted))  # tuples are lists


def test_the_yaml_says_the_schedule() -> None:
    params = model_config(TINY, Path("/clip"))["model"]["params"]
    schedule = build_schedule().config
    assert params["linear_start"] == schedule["beta_start"]
    assert params["linear_end"] == schedule["beta_end"]
    assert params["timesteps"] == schedule["num_train_timesteps"]


def test_transformers_builds_the_text_encoder(tokenizer: Path, tensors: dict[str, Tensor]) -> None:
    config = json.loads(text_encoder_files(tokenizer, TINY)["config.json"])
    model = CLIPTextModel(CLIPTextConfig(**config))
    prefix = "cond_stage_model.transformer.text_model."
    found = {k.removeprefix("text_model."): v.shape for k, v in model.state_dict().items()}
    assert found == {k.removeprefix(prefix): v.shape for k, v in tensors.items() if prefix in k}


def test_what_is_written(folder: Path, tokenizer: Path, put: Callable[[], list[Path]]) -> None:
    written = {str(path.relative_to(folder)) for path in put()}
    clip = f"{CHECKPOINTS}/manyshot-tiny-clip"
    assert written == {
        f"{CHECKPOINTS}/manyshot-tiny.safetensors",
        f"{CHECKPOINTS}/manyshot-tiny.yaml",
        *(f"{clip}/{path.name}" for path in tokenizer.iterdir()),
        f"{clip}/config.json",
        *(f"{TAESD}/{name}" for name in HALVES),
    }
    checkpoint = folder / CHECKPOINTS / TINY_MODEL.name
    assert checkpoint.read_bytes() == TINY_MODEL.read_bytes()
    found = yaml.safe_load(checkpoint.with_suffix(".yaml").read_text(encoding="utf-8"))
    assert found == model_config(TINY, folder / clip)
    assert (folder / clip / "vocab.json").read_text() == "the vocab.json"


def test_the_same_weights_are_the_same_files(tensors: dict[str, Tensor]) -> None:
    assert taesd_files(tensors) == taesd_files(dict(reversed(tensors.items())))


def test_again_writes_what_has_changed_alone(folder: Path, put: Callable[[], list[Path]]) -> None:
    put()
    assert put() == []
    of_an_earlier_version = folder / CHECKPOINTS / "manyshot-tiny.yaml"
    of_an_earlier_version.write_text("model: {}")
    assert put() == [of_an_earlier_version]


def test_a_link_to_our_file_is_replaced_and_not_what_it_leads_to(
    folder: Path, tmp_path: Path, put: Callable[[], list[Path]]
) -> None:
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes(b"a model")
    (folder / CHECKPOINTS / TINY_MODEL.name).symlink_to(elsewhere)
    put()
    assert elsewhere.read_bytes() == b"a model"


@pytest.mark.parametrize("name", HALVES)
def test_another_taesd_stays_and_nothing_is_written(
    folder: Path, put: Callable[[], list[Path]], name: str
) -> None:
    (folder / TAESD).mkdir()
    (folder / TAESD / name).write_bytes(b"SD1's")
    with pytest.raises(InputError, match=f"another {name} in .*VAE-taesd.*Move it away"):
        put()
    assert (folder / TAESD / name).read_bytes() == b"SD1's"
    assert list((folder / CHECKPOINTS).iterdir()) == []


@pytest.mark.parametrize("missing", ["launch.py", CHECKPOINTS])
def test_a_folder_that_is_no_webui(folder: Path, missing: str) -> None:
    path = folder / missing
    path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match="is not a folder of AUTOMATIC1111's WebUI"):
        webui_folder(folder)


def test_forge(folder: Path) -> None:
    (folder / "modules_forge").mkdir()
    with pytest.raises(InputError, match="is Forge or reForge"):
        webui_folder(folder)


def test_a_missing_tokenizer(folder: Path, tokenizer: Path, put: Callable[[], list[Path]]) -> None:
    (tokenizer / "merges.txt").unlink()
    with pytest.raises(InputError, match=r"lacks merges\.txt\. Pass ComfyUI's folder"):
        put()
    assert list((folder / CHECKPOINTS).iterdir()) == []


def test_a_missing_checkpoint(folder: Path, tokenizer: Path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors does not exist"):
        export_webui(folder, folder / "none.safetensors", tokenizer, TINY)


def test_a_file_in_the_way_of_a_folder(folder: Path, put: Callable[[], list[Path]]) -> None:
    (folder / TAESD).write_text("in the way")
    with pytest.raises(ManyshotError, match=r"VAE-taesd.taesd_decoder\.pth cannot be read"):
        put()
    assert list((folder / CHECKPOINTS).iterdir()) == []


def test_a_folder_in_the_way_of_a_file(folder: Path, put: Callable[[], list[Path]]) -> None:
    (folder / CHECKPOINTS / "manyshot-tiny.yaml").mkdir()
    with pytest.raises(ManyshotError, match=r"manyshot-tiny\.yaml cannot be read"):
        put()


def test_a_disk_that_is_full(
    put: Callable[[], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(export, "write_atomic", full)
    with pytest.raises(ManyshotError, match=r"manyshot-tiny\.safetensors cannot be written: No sp"):
        put()


def test_the_command_says_what_a_recipe_needs(folder: Path, tokenizer: Path) -> None:
    asked = ["base", "webui", str(folder), "--tokenizer", str(tokenizer)]
    said = CliRunner().invoke(app, asked).output
    assert str(folder / TAESD / HALVES[0]) in said
    line = next(line for line in said.splitlines() if "webui: {" in line)
    settings = WebUISettings.model_validate(yaml.safe_load(line)["webui"])
    assert (settings.checkpoint, settings.width, settings.height) == (TINY_MODEL.stem, 128, 128)
    assert settings.options == {"sd_vae_decode_method": "TAESD", "sd_vae_encode_method": "TAESD"}
    assert "Everything is already there." in CliRunner().invoke(app, asked).output
