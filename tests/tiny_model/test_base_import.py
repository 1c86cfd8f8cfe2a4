"""Exported files are enough to go on from: `python tools/tiny_model import`."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("timm")

import torch
from manyshot.core.errors import InputError
from manyshot.trainer.checkpoints import read_facts
from manyshot.trainer.stable_diffusion.architecture import (
    build_controlnet,
    build_text_encoder,
    build_vae,
)
from manyshot.trainer.stable_diffusion.euler_sampling import Networks
from safetensors import safe_open
from safetensors.torch import load_file
from tiny_model import autoencoder as ae
from tiny_model import diffusion as df
from tiny_model import import_run as im
from tiny_model import train_base as tb
from tiny_model.autoencoder_batches import AutoencoderOptions
from tiny_model.export_checkpoint import export_run, export_single_file, original_tensors
from tiny_model.export_controlnet import ControlNetFacts, export_controlnet
from tiny_model.latents import Latents
from tiny_model.text_pretraining import load_text_encoder, pretrain_text_encoder
from tiny_model.train_autoencoder import train_autoencoder
from tiny_model.train_controlnet import load_trained_controlnet

from ..support.base_sizes import SMALL

TOKENIZER = None  # no text is read here
TRAINED = {"autoencoder": {"step": 7, "minutes": 2.5}, "base": {"step": 9, "minutes": 3.0}}


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    unet = tb.fresh_unet(SMALL, 0)
    parts = (unet, build_text_encoder(SMALL), build_vae(SMALL), SMALL)
    path = tmp_path / "manyshot-tiny.safetensors"
    export_single_file(path, original_tensors(*parts), {"data": "pets", "sizes": {}, **TRAINED})
    facts = ControlNetFacts("canny", "0", {"step": 5, "minutes": 1.0})
    target = tmp_path / "manyshot-tiny-canny.safetensors"
    export_controlnet(target, build_controlnet(unet), SMALL, facts)
    return path


def networks(run: Path) -> Networks:
    parts = (load_text_encoder(run, SMALL), df.load_unet(run, SMALL))
    return Networks(TOKENIZER, *parts, ae.load_autoencoder(run, SMALL))  # pyright: ignore[reportArgumentType]


def take(run: Path, checkpoint: Path, controlnets: Path | None = None) -> list[Path]:
    return im.import_run(run, checkpoint, controlnets, TOKENIZER, SMALL)  # pyright: ignore[reportArgumentType]


def test_what_is_imported_exports_as_it_was(exported: Path, tmp_path: Path) -> None:
    run, again = tmp_path / "run", tmp_path / "again.safetensors"
    take(run, exported)
    export_run(again, run, networks(run), SMALL)
    before, after = load_file(exported), load_file(again)
    assert set(before) == set(after)
    assert all(torch.equal(before[key], after[key]) for key in before)
    with safe_open(again, "pt") as file:
        training = json.loads(file.metadata()["manyshot.training"])
    told = {"file": "manyshot-tiny.safetensors", **TRAINED}
    assert training["base"]["before"] == training["autoencoder"]["before"] == told


def test_controlnets_are_imported_as_they_were(exported: Path, tmp_path: Path) -> None:
    canny = exported.with_name("manyshot-tiny-canny.safetensors")
    assert take(tmp_path / "run", exported, tmp_path) == [exported, canny]
    loaded = load_trained_controlnet(tmp_path / "run", "canny", SMALL).state_dict()
    expected = im.load_controlnet(canny, SMALL)
    assert all(torch.equal(loaded[key], value) for key, value in expected.state_dict().items())


def test_training_goes_on_with_what_was_imported(exported: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    take(run, exported)
    before = networks(run)
    image = np.full((32, 32, 3), 90, np.uint8)
    options = AutoencoderOptions(steps=1, batch=1, crop=32, rate=1e-6, bf16=False)
    train_autoencoder([image], torch.zeros(1, 3, 32, 32), SMALL, options, run)
    corpus = df.build_corpus(
        Latents([torch.ones(4, 16, 16).half()], [None]),
        [["a Beagle"]],
        torch.ones(1),
        lambda texts: torch.zeros(len(texts), 77, 32).half(),
    )
    diffusion = df.DiffusionOptions(steps=1, batch=1, rate=1e-6, bf16=False)
    tb.train_base(corpus, tb.fresh_unet(SMALL, 1), lambda *_: None, diffusion, run)
    scale = load_file(run / ae.CHECKPOINT)["autoencoder.norm.running_mean"]
    assert torch.equal(scale, torch.zeros(4))  # not that of one small crop
    for name in (ae.CHECKPOINT, df.CHECKPOINT):
        facts = read_facts(run / name)
        assert (facts["step"], facts["before"]["base"]) == (1, TRAINED["base"])
    with pytest.raises(
        InputError, match="was started with different settings: rate was 1e-06 and is now 0.001"
    ):
        train_autoencoder(
            [image], torch.zeros(1, 3, 32, 32), SMALL, replace(options, rate=1e-3), run
        )
    after = networks(run)
    for one, other in ((before.unet, after.unet), (before.vae.decoder, after.vae.decoder)):
        pairs = zip(one.parameters(), other.parameters(), strict=True)
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in pairs)


def test_an_imported_text_encoder_is_not_taught_again(exported: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    take(run, exported)
    before = load_text_encoder(run, SMALL).state_dict()
    after = pretrain_text_encoder(run, SMALL, TOKENIZER, [], 1000).state_dict()  # pyright: ignore[reportArgumentType]
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("name", [ae.CHECKPOINT, "text_encoder.safetensors", df.CHECKPOINT])
def test_a_run_that_has_begun_is_not_lost(exported: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"hours of work")
    with pytest.raises(
        InputError, match=f"{name} exists and would be overwritten: pass another folder"
    ):
        take(tmp_path, exported)
    assert (tmp_path / name).read_bytes() == b"hours of work"
    assert len(list(tmp_path.iterdir())) == 3  # the two exported files, and what was there


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "holds none of manyshot-tiny-segmentation"), (b"no net", "is not a ControlNet")],
)
def test_without_a_whole_controlnet_nothing_is_written(
    exported: Path, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    folder, run = tmp_path / "controlnets", tmp_path / "run"
    folder.mkdir()
    if content is not None:
        (folder / "manyshot-tiny-canny.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        take(run, exported, folder)
    assert not run.exists()


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.safetensors does not exist"):
        take(tmp_path / "run", tmp_path / "none.safetensors")
