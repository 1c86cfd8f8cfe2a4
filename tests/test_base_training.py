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

import torch
from manyshot.core.errors import InputError
from manyshot.core.tiny_sizes import Sizes
from manyshot.trainer.base import autoencoder as ae
from manyshot.trainer.base import diffusion as df
from manyshot.trainer.base import train_autoencoder as ta
from manyshot.trainer.base import train_base as tb
from manyshot.trainer.base import training as tr
from manyshot.trainer.base.architecture import build_schedule
from manyshot.trainer.base.data import Entry
from manyshot.trainer.base.latents import Latents, cached_latents, encode_images
from manyshot.trainer.base.words import caption_classes
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


def test_captions_mean_the_classes_they_name() -> None:
    kinds = [Entry("a_1", 0, "cat"), Entry("b_1", 1, "dog"), Entry("c_1", 2, "dog")]
    found = caption_classes(kinds)
    assert found["a photo of a A"].tolist() == [1, 0, 0]
    assert found["a photo of a dog"].tolist() == [0, 0.5, 0.5]
    assert found[""].tolist() == pytest.approx([1 / 3] * 3)


def test_loss_weights() -> None:
    ratios = torch.tensor([0.01, 0.25, 1.0, 5.0, 50.0])
    found = df.loss_weights(ratios / (1 + ratios))
    assert torch.allclose(found, torch.tensor([10.0, 2.0, 1.0, 1.0, 0.1]), rtol=1e-3)


def test_the_parts_of_a_batch_give_its_gradient() -> None:
    torch.manual_seed(0)
    model = df.Model(SMALL)
    ids = torch.randint(0, 49_406, (6, 77))
    latents, noise = torch.randn(2, 6, 4, 16, 16)
    batch = df.Batch(latents, noise, df.spread_times(6), ids)
    alphas = build_schedule().alphas_cumprod
    whole = [tb.gradients(model, batch, alphas, bf16=False)]
    parts = [tb.gradients(model, part, alphas, bf16=False) for part in batch.split(3)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    losses = []
    found = []
    for split in (whole, parts):
        losses.append(tb.train_step(model, optimizer, split))
        found.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
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
    found = cached_latents(tmp_path, vae, images, True, "cpu", bf16=False)
    assert [tuple(v.shape) for v in found.values] == 2 * [(4, 16, 19), (4, 20, 16), (4, 16, 16)]
    assert found.images.tolist() == [0, 1, 2, 0, 1, 2]
    alone = encode_images(vae, [images[1], images[1][:, ::-1]], "cpu", bf16=False)
    for value, place in zip(alone, (1, 4), strict=True):
        assert torch.allclose(found.values[place].float(), value.float(), atol=1e-2)


def test_latents_are_encoded_once(
    images: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = ae.TrainableAutoencoder(SMALL).finished()
    found = cached_latents(tmp_path, vae, images, False, "cpu", bf16=False)
    with monkeypatch.context() as patch:
        patch.setattr("manyshot.trainer.base.latents.encode_images", None)
        stored = cached_latents(tmp_path, vae, images, False, "cpu", bf16=False)
    assert all(torch.equal(a, b) for a, b in zip(found.values, stored.values, strict=True))
    assert len(cached_latents(tmp_path, vae, images[:2], False, "cpu", bf16=False).values) == 2


def test_the_autoencoder_learns_and_resumes(images: list[np.ndarray], tmp_path: Path) -> None:
    flat = [np.full_like(image, 40 + 80 * n) for n, image in enumerate(images)]
    watched = torch.full((1, 3, 32, 32), -0.5)
    options = ta.AutoencoderOptions(steps=60, batch=4, crop=16, noise=0.0, bf16=False)
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
    more = replace(options, steps=6, decoder_only=True)
    second = ta.train_autoencoder(images, watched, SMALL, more, tmp_path)
    pairs = zip(first.encoder.parameters(), second.encoder.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(first.decoder.parameters(), second.decoder.parameters(), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)


def test_the_diffusion_model_learns_and_resumes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    ids = torch.full((1, 2, 77), 49_407)
    ids[:, :, 0] = 49_406
    corpus = df.Corpus(Latents([torch.ones(4, 16, 16).half()], torch.tensor([0])), ids, ids[0, 0])
    losses: list[float] = []
    drawn: list[int] = []
    begun: list[df.Model] = []
    step = tb.train_step
    monkeypatch.setattr(tb, "train_step", lambda *a: losses.append(step(*a)) or losses[-1])
    options = df.DiffusionOptions(steps=60, batch=8, rate=3e-3, bf16=False, workers=2, every=25)

    def train() -> df.Model:
        return tb.train_base(
            corpus, begun.append, lambda _, n: drawn.append(n), SMALL, options, tmp_path
        )

    average = train()
    assert len(losses) == 60
    assert drawn == [25, 50, 60]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    again = train()
    assert len(losses) == 60  # nothing was left to do
    assert len(begun) == 1
    pairs = zip(average.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert df.load_base(tmp_path, SMALL).unet.config["cross_attention_dim"] == 32
