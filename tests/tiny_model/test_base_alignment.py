"""The UNet's middle learns to predict an image net's features, and the checkpoint keeps it."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

pytest.importorskip("diffusers")

from manyshot.core.errors import InputError
from manyshot.core.tiny_sizes import LATENT_CHANNELS
from manyshot.trainer import checkpoints as cp
from manyshot.trainer import training as tr
from manyshot.trainer.imagenet import load_imagenet_net, stage_features
from manyshot.trainer.stable_diffusion.batch_sampling import Place
from tiny_model import alignment as al
from tiny_model import diffusion as df
from tiny_model import train_base as tb
from tiny_model.latents import Latents

from ..support.base_sizes import SMALL


@pytest.fixture
def corpus() -> df.Corpus:
    latents = [torch.randn(LATENT_CHANNELS, 16, 16) for _ in range(4)]
    rows = [torch.tensor([row]) for row in range(4)]
    return df.Corpus(
        Latents(latents, [None] * 4), torch.randn(4, 77, SMALL.text_width), rows, torch.ones(4) / 4
    )


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (128, 160, 3), dtype=np.uint8) for _ in range(4)]


def options(steps: int, alignment: float = 0.5) -> df.DiffusionOptions:
    return df.DiffusionOptions(
        steps=steps, batch=4, rate=5e-3, bf16=False, workers=2, alignment=alignment
    )


def test_features_are_those_of_the_crop(images: list[np.ndarray]) -> None:
    features = al.image_features(images, "cpu")
    seen = features(1, Place(0, 3))
    crop = torch.from_numpy(images[1][:, 24:152].copy()).movedim(-1, 0)[None] / 127.5 - 1
    expected = stage_features(load_imagenet_net(), crop)[-1][0]
    assert seen.shape == (320, 4, 4)
    assert torch.allclose(seen, expected, atol=2e-2, rtol=2e-2)
    assert not torch.allclose(seen, features(1, Place(0, 0)), atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize(("sign", "loss"), [(1.0, 0.0), (-1.0, 2.0)])
def test_the_loss_is_one_minus_the_cosine(sign: float, loss: float) -> None:
    features = torch.randn(2, 320, 4, 4)
    assert float(al.alignment_loss(3 * sign * features, features)) == pytest.approx(loss, abs=1e-5)


def test_the_middle_learns_what_the_image_net_sees(
    corpus: df.Corpus,
    images: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses: list[float] = []
    measure = al.alignment_loss

    def measured(*parts: torch.Tensor) -> torch.Tensor:
        loss = measure(*parts)
        losses.append(float(loss))
        return loss

    monkeypatch.setattr(tb, "alignment_loss", measured)
    features = al.image_features(images, "cpu")
    unet = tb.fresh_unet(SMALL, 0)
    tb.train_base(corpus, unet, lambda *_: None, options(20), tmp_path, features)
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])
    with safe_open(tmp_path / df.CHECKPOINT, "pt") as file:
        names = {key.split(".")[0] for key in file.keys()}  # noqa: SIM118
    assert {"model", "average", "projector", "optimizer"} <= names
    df.load_unet(tmp_path, SMALL)  # as without a projector


def test_a_run_goes_on_with_its_own_alignment_only(
    corpus: df.Corpus, images: list[np.ndarray], tmp_path: Path
) -> None:
    features = al.image_features(images, "cpu")

    def train(alignment: float, steps: int) -> None:
        shown = features if alignment else None
        unet = tb.fresh_unet(SMALL, 0)
        tb.train_base(corpus, unet, lambda *_: None, options(steps, alignment), tmp_path, shown)

    train(0.5, 1)
    train(0.5, 2)
    with pytest.raises(InputError, match="alignment"):
        train(0.0, 3)


def test_an_imported_unet_gets_a_projector(
    corpus: df.Corpus, images: list[np.ndarray], tmp_path: Path
) -> None:
    unet = tb.fresh_unet(SMALL, 0)
    modules = {"model": unet, "average": deepcopy(unet)}
    optimizer = torch.optim.SGD(unet.parameters(), lr=0.0)
    path = tmp_path / df.CHECKPOINT
    cp.save_checkpoint(path, modules, optimizer, tr.Clock(1, None), {cp.IMPORTED: "a.safetensors"})
    features = al.image_features(images, "cpu")
    fresh = tb.fresh_unet(SMALL, 1)
    tb.train_base(corpus, fresh, lambda *_: None, options(1), tmp_path, features)
    assert cp.holds(path, "projector")
