"""The training loops of autoencoder, UNet and ControlNets, on very small networks."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("timm")

import torch
from manyshot.core.errors import InputError
from manyshot.trainer import checkpoints as cp
from manyshot.trainer import training as tr
from manyshot.trainer.stable_diffusion.architecture import (
    build_controlnet,
    build_schedule,
    build_unet,
)
from manyshot.trainer.stable_diffusion.batch_sampling import Place
from safetensors.torch import load_file
from tiny_model import autoencoder as ae
from tiny_model import diffusion as df
from tiny_model import loop as lp
from tiny_model import train_autoencoder as ta
from tiny_model import train_base as tb
from tiny_model import train_controlnet as tc
from tiny_model.autoencoder_batches import AutoencoderOptions
from tiny_model.conditioning import Hint, cropper, give_hint, glimpses
from tiny_model.latents import Latents, cache_latents, encode_images
from torch import nn

from ..support.base_sizes import SMALL


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = [(128, 152), (160, 128), (131, 128)]
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]


def test_latents_are_those_of_each_image(images: list[np.ndarray], tmp_path: Path) -> None:
    vae = ae.TrainableAutoencoder(SMALL).finished()
    found = cache_latents(tmp_path, vae, images, "cpu", bf16=False, workers=2)
    assert [tuple(value.shape) for value in found] == [(4, 16, 19), (4, 20, 16), (4, 16, 16)]
    alone = encode_images(vae, [images[1]], "cpu", bf16=False)
    assert torch.allclose(found[1].float(), alone[0].float(), atol=1e-2)


def test_latents_are_encoded_once(
    images: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = ae.TrainableAutoencoder(SMALL).finished()
    found = cache_latents(tmp_path, vae, images, "cpu", bf16=False)
    with monkeypatch.context() as patch:
        patch.setattr("tiny_model.latents.encode_images", None)
        stored = cache_latents(tmp_path, vae, images, "cpu", bf16=False)
    assert all(torch.equal(a, b) for a, b in zip(found, stored, strict=True))
    assert len(cache_latents(tmp_path, vae, images[:2], "cpu", bf16=False)) == 2


def test_the_autoencoder_learns_and_resumes(images: list[np.ndarray], tmp_path: Path) -> None:
    flat = [np.full_like(image, 40 + 80 * n) for n, image in enumerate(images)]
    watched = torch.stack([torch.from_numpy(image[:32, :32].copy()) for image in flat])
    watched = watched.movedim(-1, 1) / 127.5 - 1
    options = AutoencoderOptions(
        steps=100, batch=4, crop=32, rate=3e-3, noise=0.0, perceptual=0.0, bf16=False
    )
    fresh = ae.TrainableAutoencoder(SMALL).finished()
    vae = ta.train_autoencoder(flat, watched, SMALL, options, tmp_path)
    assert cp.read_facts(tmp_path / ae.CHECKPOINT)["step"] == 100
    learned = ae.psnr(ae.reconstruct(vae, watched), watched)
    # ten seeds gained 4.1 to 10.6 dB
    assert learned > ae.psnr(ae.reconstruct(fresh, watched), watched) + 2.5
    ta.train_autoencoder(flat, watched, SMALL, options, tmp_path)  # nothing is left to do
    loaded = ae.load_autoencoder(tmp_path, SMALL)
    pairs = zip(vae.parameters(), loaded.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert (tmp_path / "autoencoder.png").is_file()


def flat(module: nn.Module) -> torch.Tensor:
    """All values of a module in one row."""
    return torch.cat([value.flatten().float() for value in module.state_dict().values()])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("decoder_only", [False, True])
def test_one_seed_gives_one_autoencoder(
    images: list[np.ndarray], tmp_path: Path, workers: int, decoder_only: bool
) -> None:
    watched = torch.zeros(1, 3, 32, 32)
    options = AutoencoderOptions(
        steps=3, batch=4, crop=32, adversarial=1.0, workers=workers, bf16=False
    )

    def weights(name: str, seed: int) -> torch.Tensor:
        torch.rand(1)  # what ran before decides nothing
        chosen, folder = replace(options, seed=seed), tmp_path / name
        if decoder_only:
            ta.train_autoencoder(images, watched, SMALL, options, folder)
            chosen = replace(chosen, decoder_only=True)
        ta.train_autoencoder(images, watched, SMALL, chosen, folder)
        path = folder / (ae.DECODER if decoder_only else ae.CHECKPOINT)
        return torch.cat([value.flatten().float() for _, value in sorted(load_file(path).items())])

    first = weights("first", 1)
    assert torch.equal(first, weights("again", 1))
    assert not torch.equal(first, weights("other", 2))


def test_latents_stay_when_only_the_decoder_learns(
    images: list[np.ndarray], tmp_path: Path
) -> None:
    watched = torch.zeros(1, 3, 32, 32)
    options = AutoencoderOptions(steps=3, batch=2, crop=16, bf16=False)
    first = ta.train_autoencoder(images, watched, SMALL, options, tmp_path)
    more = replace(options, steps=4, decoder_only=True)
    ta.train_autoencoder(images, watched, SMALL, more, tmp_path)
    assert cp.read_facts(tmp_path / ae.DECODER)["step"] == 4  # a budget of its own
    second = ta.train_autoencoder(images, watched, SMALL, replace(more, steps=6), tmp_path)
    assert cp.read_facts(tmp_path / ae.CHECKPOINT)["step"] == 3
    loaded = ae.load_autoencoder(tmp_path, SMALL)
    pairs = zip(second.parameters(), loaded.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(first.encoder.parameters(), second.encoder.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(first.decoder.parameters(), second.decoder.parameters(), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def corpus() -> df.Corpus:
    latents = Latents([torch.ones(4, 16, 16).half()], [None])
    encode = lambda texts: torch.zeros(len(texts), 77, 32).half()  # noqa: E731
    return df.build_corpus(latents, [["a Beagle", ""]], torch.ones(1), encode)


def test_a_decoder_of_another_encoder_is_refused(images: list[np.ndarray], tmp_path: Path) -> None:
    watched = torch.zeros(1, 3, 32, 32)
    options = AutoencoderOptions(steps=2, batch=2, crop=16, bf16=False)
    ta.train_autoencoder(images, watched, SMALL, options, tmp_path)
    more = replace(options, decoder_only=True)
    ta.train_autoencoder(images, watched, SMALL, more, tmp_path)
    ta.train_autoencoder(images, watched, SMALL, replace(options, steps=3), tmp_path)
    with pytest.raises(InputError, match="a different encoder"):
        ae.load_autoencoder(tmp_path, SMALL)


def test_the_unet_learns_and_resumes(
    corpus: df.Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    losses: list[float] = []
    drawn: list[int] = []
    step = lp.train_step
    monkeypatch.setattr(lp, "train_step", lambda *a: losses.append(step(*a)) or losses[-1])
    options = df.DiffusionOptions(
        steps=40, batch=4, rate=5e-3, decay=0.9, bf16=False, workers=2, every=15
    )

    def train() -> nn.Module:
        unet = build_unet(SMALL)
        return tb.train_base(corpus, unet, lambda _, n: drawn.append(n), options, tmp_path)

    average = train()
    assert len(losses) == 40
    assert drawn == [15, 30, 40]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    again = train()
    assert len(losses) == 40  # nothing was left to do
    loaded = df.load_unet(tmp_path, SMALL)
    for found in (again, loaded):
        pairs = zip(average.parameters(), found.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_one_seed_gives_one_unet(corpus: df.Corpus, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> torch.Tensor:
        torch.rand(1)  # what ran before decides nothing
        options = df.DiffusionOptions(steps=2, batch=4, bf16=False, workers=2, seed=seed)
        unet = tb.fresh_unet(SMALL, seed)
        return flat(tb.train_base(corpus, unet, lambda *_: None, options, tmp_path / name))

    first = weights("first", 1)
    assert torch.equal(first, weights("again", 1))
    assert not torch.equal(first, weights("other", 2))


def test_one_seed_gives_one_controlnet(corpus: df.Corpus, tmp_path: Path) -> None:
    unet, white = tb.fresh_unet(SMALL, 0), np.full((128, 128, 3), 255, np.uint8)

    def weights(name: str, seed: int) -> torch.Tensor:
        torch.rand(1)  # what ran before decides nothing
        options = df.DiffusionOptions(steps=2, batch=4, bf16=False, workers=2, seed=seed)
        path = tmp_path / name
        trained = tc.train_controlnet(corpus, [white], unet, lambda *_: None, options, path)
        return flat(trained)

    first = weights("first", 1)
    assert torch.equal(first, weights("again", 1))
    assert not torch.equal(first, weights("other", 2))


def test_a_controlnet_goes_on_with_the_layers_that_it_began_with(
    corpus: df.Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unet, white = tb.fresh_unet(SMALL, 0), np.full((128, 128, 3), 255, np.uint8)
    begun, path = build_controlnet(unet), tmp_path / "canny"
    hint = give_hint(begun)
    modules, optimizer = (
        {"model": begun, "average": deepcopy(begun)},
        torch.optim.AdamW(begun.parameters()),
    )
    cp.save_checkpoint(path, modules, optimizer, tr.Clock(1, None), {cp.IMPORTED: "a.safetensors"})
    seen: list[torch.Tensor] = []
    see = tc.glimpses
    monkeypatch.setattr(tc, "glimpses", lambda *given: seen.extend(see(*given)) or seen)
    options = df.DiffusionOptions(steps=1, batch=2, bf16=False, seed=2)
    tc.train_controlnet(corpus, [white], unet, lambda *_: None, options, path)
    assert torch.equal(seen[0], see(hint, [white])[0])


def test_glimpses_stand_for_images() -> None:
    hint = Hint(32)
    nn.init.normal_(hint.conv_out.weight)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (128, 160, 3), dtype=np.uint8)
    [glimpse] = glimpses(hint, [image])
    assert glimpse.shape == (96, 32, 40)
    whole = hint(torch.from_numpy(image).movedim(-1, 0)[None].float() / 255)
    assert torch.allclose(hint(glimpse[None].float()), whole, atol=1e-2, rtol=1e-2)
    part = cropper([glimpse])(0, Place(0, 4))
    assert torch.equal(part, glimpse[:, :, 8:40].float())
    again = Hint(32)
    assert torch.equal(again.conv_in.weight, hint.conv_in.weight)
    assert 0.1 < glimpse.float().std() < 10


def test_a_controlnet_begins_without_effect_and_learns_its_condition(
    corpus: df.Corpus, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    unet, alphas = build_unet(SMALL), build_schedule().alphas_cumprod
    options = df.DiffusionOptions(steps=8, batch=4, rate=1e-2, decay=0.5, bf16=False)
    white = np.full((128, 128, 3), 255, np.uint8)
    batch = replace(df.random_batch(corpus, options), conditions=torch.ones(4, 3, 128, 128))
    noisy = df.add_noise(batch, alphas)
    alone = unet(noisy, batch.times, batch.text).sample
    fresh = build_controlnet(unet)
    give_hint(fresh)
    assert torch.equal(tc.predict_controlled_noise(unet, fresh, batch, noisy), alone)
    path = tc.checkpoint_path(tmp_path, "canny")
    before = [parameter.clone() for parameter in unet.parameters()]
    drawn: list[int] = []
    tc.train_controlnet(corpus, [white], unet, lambda _, n: drawn.append(n), options, path)
    assert drawn == [8]
    assert all(torch.equal(a, b) for a, b in zip(before, unet.parameters(), strict=True))
    learned = tc.load_trained_controlnet(tmp_path, "canny", SMALL)
    assert not torch.equal(tc.predict_controlled_noise(unet, learned, batch, noisy), alone)
    black = replace(batch, conditions=torch.zeros(4, 3, 128, 128))
    assert not torch.equal(
        tc.predict_controlled_noise(unet, learned, batch, noisy),
        tc.predict_controlled_noise(unet, learned, black, noisy),
    )


def test_a_missing_controlnet_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="controlnet_canny"):
        tc.load_trained_controlnet(tmp_path, "canny", SMALL)
