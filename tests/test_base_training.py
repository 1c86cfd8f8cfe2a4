"""Budget, averages, checkpoints and the two training loops, on very small networks."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("timm")

import torch
from manyshot.core.errors import InputError
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.base import autoencoder as ae
from manyshot.trainer.base import diffusion as df
from manyshot.trainer.base import loop as lp
from manyshot.trainer.base import train_autoencoder as ta
from manyshot.trainer.base import train_base as tb
from manyshot.trainer.base import train_controlnet as tc
from manyshot.trainer.base import training as tr
from manyshot.trainer.base.architecture import build_controlnet, build_schedule, build_unet
from manyshot.trainer.base.hints import Hint, cropper, give_hint, glimpses
from manyshot.trainer.base.latents import (
    Box,
    Latents,
    Place,
    cached_latents,
    encode_images,
    pet_box,
    random_crop,
)
from torch import nn

SMALL = Sizes(
    unet_channels=32,
    unet_multiples=(1, 2),
    unet_attention=(True, False),
    text_width=32,
    text_layers=1,
    text_heads=2,
    vae_width=8,
)


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = [(128, 152), (160, 128), (131, 128)]
    return [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]


def test_a_run_needs_an_end() -> None:
    with pytest.raises(InputError, match="steps, or of minutes"):
        tr.Clock(None, None)


@pytest.mark.parametrize(
    ("steps", "minutes", "step", "spent", "progress"),
    [
        (10, None, 5, 99.0, 0.5),
        (None, 10.0, 7, 5.0, 0.5),
        (10, 10.0, 9, 5.0, 0.9),
        (4, None, 8, 0, 1),
    ],
)
def test_progress(steps, minutes, step: int, spent: float, progress: float) -> None:
    clock = tr.Clock(steps, minutes, step, spent)
    assert clock.progress == pytest.approx(progress, abs=1e-3)
    assert clock.over == (progress == 1)


@given(st.floats(1e-6, 1), st.floats(0, 1), st.integers(0, 1000), st.integers(1, 300))
def test_the_rate_stays_between_zero_and_its_peak(peak, progress, step, warmup) -> None:
    assert 0 <= tr.cosine_rate(peak, step, progress, warmup) <= peak


def test_the_rate_rises_then_falls() -> None:
    assert tr.cosine_rate(1.0, 0, 0.0, 100) == pytest.approx(0.01)
    assert tr.cosine_rate(1.0, 100, 0.0, 100) == 1.0
    assert tr.cosine_rate(1.0, 500, 1.0, 100) == pytest.approx(0.0)


def test_average_follows_the_formula() -> None:
    source, target = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(source.weight, 1.0)
    nn.init.constant_(target.weight, 0.0)
    average = tr.Average(source, target, decay=0.5)
    average.update(0)  # decay min(0.5, 1 / 10)
    assert target.weight.item() == pytest.approx(0.9)
    average.update(1000)
    assert target.weight.item() == pytest.approx(0.95)


def test_a_checkpoint_gives_everything_back(tmp_path: Path) -> None:
    def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        model(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()

    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    step(model, optimizer)
    clock = tr.Clock(10, None, step=1, spent=2.0)
    tr.save_checkpoint(tmp_path / "c.safetensors", {"m": model}, optimizer, clock)
    again, clock2 = nn.Linear(3, 2), tr.Clock(10, None)
    optimizer2 = torch.optim.AdamW(again.parameters(), lr=0.1)
    tr.load_checkpoint(tmp_path / "c.safetensors", {"m": again}, optimizer2, clock2)
    step(model, optimizer)
    step(again, optimizer2)
    assert torch.equal(model.weight, again.weight)
    assert clock2.step == 1
    assert clock2.elapsed == pytest.approx(2.0, abs=0.1)


def test_a_checkpoint_of_other_sizes_is_refused(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    tr.save_checkpoint(tmp_path / "c.safetensors", {"m": model}, optimizer, tr.Clock(1, None))
    with pytest.raises(InputError, match="does not fit this model"):
        tr.load_checkpoint(tmp_path / "c.safetensors", {"m": nn.Linear(4, 2)})
    with pytest.raises(InputError, match="does not exist"):
        tr.load_checkpoint(tmp_path / "absent", {"m": model})


def test_loss_weights() -> None:
    ratios = torch.tensor([0.01, 0.25, 1.0, 5.0, 50.0])
    found = df.loss_weights(ratios / (1 + ratios))
    assert torch.allclose(found, torch.tensor([10.0, 2.0, 1.0, 1.0, 0.1]), rtol=1e-3)


def test_the_parts_of_a_batch_give_its_gradient() -> None:
    torch.manual_seed(0)
    unet = build_unet(SMALL)
    latents, noise = torch.randn(2, 6, 4, 16, 16)
    batch = df.Batch(latents, noise, df.spread_times(6), torch.randn(6, 77, 32))
    alphas = build_schedule().alphas_cumprod
    learning = list(unet.parameters())

    def loss(part: df.Batch) -> torch.Tensor:
        found = unet(df.add_noise(part, alphas), part.times, part.text).sample
        return df.weighted_error(found, part, alphas)

    whole = [tr.gradients(learning, loss(batch))]
    parts = [tr.gradients(learning, loss(part)) for part in batch.split(3)]
    optimizer = torch.optim.SGD(learning, lr=0.0)
    losses = []
    found = []
    for split in (whole, parts):
        losses.append(tr.train_step(learning, optimizer, split))
        found.append([p.grad.clone() for p in learning if p.grad is not None])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(*found, strict=True))
    assert len(batch.split(99)) == 6


@given(st.integers(1, 200))
def test_times_are_spread_over_the_schedule(count: int) -> None:
    times = df.spread_times(count)
    assert ((times >= 0) & (times < 1000)).all()
    parts = (times.double() + 0.5) / 1000 * count
    assert (parts.floor() - torch.arange(count)).abs().max() <= 1


def test_folding_the_norm_changes_nothing() -> None:
    torch.manual_seed(0)
    model = ae.TrainableAutoencoder(SMALL)
    pixels = torch.rand(4, 3, 32, 32) * 2 - 1
    model(pixels, noise=0.1)  # moves the running statistics
    model.eval()
    wanted = model.norm(model.vae.encoder(pixels))
    assert torch.allclose(model.finished().encoder(pixels), wanted, atol=1e-4)


def test_psnr_of_a_known_error() -> None:
    wanted = torch.zeros(2, 3, 4, 4)
    assert ae.psnr(wanted + 0.2, wanted) == pytest.approx(20 * math.log10(2 / 0.2), abs=1e-3)


def test_latents_are_those_of_each_image(images: list[np.ndarray], tmp_path: Path) -> None:
    vae = ae.TrainableAutoencoder(SMALL).finished()
    found = cached_latents(tmp_path, vae, images, "cpu", bf16=False, workers=2)
    assert [tuple(value.shape) for value in found] == [(4, 16, 19), (4, 20, 16), (4, 16, 16)]
    alone = encode_images(vae, [images[1]], "cpu", bf16=False)
    assert torch.allclose(found[1].float(), alone[0].float(), atol=1e-2)


def test_latents_are_encoded_once(
    images: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = ae.TrainableAutoencoder(SMALL).finished()
    found = cached_latents(tmp_path, vae, images, "cpu", bf16=False)
    with monkeypatch.context() as patch:
        patch.setattr("manyshot.trainer.base.latents.encode_images", None)
        stored = cached_latents(tmp_path, vae, images, "cpu", bf16=False)
    assert all(torch.equal(a, b) for a, b in zip(found, stored, strict=True))
    assert len(cached_latents(tmp_path, vae, images[:2], "cpu", bf16=False)) == 2


@given(st.integers(16, 40), st.integers(0, 39), st.integers(0, 40))
def test_crops_show_the_box_or_lie_in_it(side: int, first: int, length: int) -> None:
    first = min(first, side - 1)
    last = min(side, first + 1 + length)
    box = Box(0, first, 16, last)
    part, place = random_crop(torch.arange(side).expand(4, 16, side), box)
    assert part.shape == (4, 16, 16)
    assert part[0, 0].tolist() == list(range(place.left, place.left + 16))
    shown = range(max(first, place.left), min(last, place.left + 16))
    assert len(shown) == min(16, last - first)


def test_the_box_of_a_pet() -> None:
    trimap = np.full((128, 152), 2, np.uint8)
    trimap[16:40, 60:61] = 1
    trimap[40, 60:70] = 3
    assert pet_box(trimap) == Box(2, 7, 6, 9)
    assert pet_box(np.full((128, 128), 2, np.uint8)) is None


def test_the_autoencoder_learns_and_resumes(images: list[np.ndarray], tmp_path: Path) -> None:
    flat = [np.full_like(image, 40 + 80 * n) for n, image in enumerate(images)]
    watched = torch.full((1, 3, 32, 32), -0.5)
    options = ta.AutoencoderOptions(
        steps=60, batch=4, crop=16, noise=0.0, perceptual=0.0, bf16=False
    )
    vae = ta.train_autoencoder(flat, watched, SMALL, options, tmp_path)
    assert tr.read_facts(tmp_path / ae.CHECKPOINT)["step"] == 60
    fresh = ae.TrainableAutoencoder(SMALL).finished()
    learned = ae.psnr(ae.reconstruct(vae, watched), watched)
    assert learned > ae.psnr(ae.reconstruct(fresh, watched), watched) + 3
    ta.train_autoencoder(flat, watched, SMALL, options, tmp_path)  # nothing is left to do
    loaded = ae.load_autoencoder(tmp_path, SMALL)
    pairs = zip(vae.parameters(), loaded.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert (tmp_path / "autoencoder.png").is_file()


def test_latents_stay_when_only_the_decoder_learns(
    images: list[np.ndarray], tmp_path: Path
) -> None:
    watched = torch.zeros(1, 3, 32, 32)
    options = ta.AutoencoderOptions(steps=3, batch=2, crop=16, bf16=False)
    first = ta.train_autoencoder(images, watched, SMALL, options, tmp_path)
    more = replace(options, steps=4, decoder_only=True)
    ta.train_autoencoder(images, watched, SMALL, more, tmp_path)
    assert tr.read_facts(tmp_path / ae.DECODER)["step"] == 4  # a budget of its own
    second = ta.train_autoencoder(images, watched, SMALL, replace(more, steps=6), tmp_path)
    assert tr.read_facts(tmp_path / ae.CHECKPOINT)["step"] == 3
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
    options = ta.AutoencoderOptions(steps=2, batch=2, crop=16, bf16=False)
    ta.train_autoencoder(images, watched, SMALL, options, tmp_path)
    more = replace(options, decoder_only=True)
    ta.train_autoencoder(images, watched, SMALL, more, tmp_path)
    ta.train_autoencoder(images, watched, SMALL, replace(options, steps=3), tmp_path)
    with pytest.raises(InputError, match="another encoder"):
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
        steps=60, batch=8, rate=3e-3, decay=0.9, bf16=False, workers=2, every=25
    )

    def train() -> nn.Module:
        unet = build_unet(SMALL)
        return tb.train_base(corpus, unet, lambda _, n: drawn.append(n), options, tmp_path)

    average = train()
    assert len(losses) == 60
    assert drawn == [25, 50, 60]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    again = train()
    assert len(losses) == 60  # nothing was left to do
    loaded = df.load_unet(tmp_path, SMALL)
    for found in (again, loaded):
        pairs = zip(average.parameters(), found.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


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
    assert torch.equal(tc.controlled_noise(unet, fresh, batch, noisy), alone)
    path = tc.checkpoint_path(tmp_path, "canny")
    before = [parameter.clone() for parameter in unet.parameters()]
    drawn: list[int] = []
    tc.train_controlnet(corpus, [white], unet, lambda _, n: drawn.append(n), options, path)
    assert drawn == [8]
    assert all(torch.equal(a, b) for a, b in zip(before, unet.parameters(), strict=True))
    learned = tc.load_trained_controlnet(tmp_path, "canny", SMALL)
    assert not torch.equal(tc.controlled_noise(unet, learned, batch, noisy), alone)
    black = replace(batch, conditions=torch.zeros(4, 3, 128, 128))
    assert not torch.equal(
        tc.controlled_noise(unet, learned, batch, noisy),
        tc.controlled_noise(unet, learned, black, noisy),
    )


def test_a_missing_controlnet_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="controlnet_canny"):
        tc.load_trained_controlnet(tmp_path, "canny", SMALL)
