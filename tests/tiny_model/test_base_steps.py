"""What the training loops are made of: budget, rates, averages, checkpoints, losses, latents."""

import math
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("timm")

import torch
from manyshot.core.errors import InputError
from manyshot.trainer import checkpoints as cp
from manyshot.trainer import training as tr
from manyshot.trainer.device import precision
from manyshot.trainer.stable_diffusion.architecture import build_schedule, build_unet
from manyshot.trainer.stable_diffusion.batch_sampling import Box, random_crop
from tiny_model import autoencoder as ae
from tiny_model import diffusion as df
from tiny_model.latents import pet_box
from torch import nn

from ..support.base_sizes import SMALL


def test_a_run_needs_an_end() -> None:
    with pytest.raises(InputError, match="steps or minutes"):
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
    cp.save_checkpoint(tmp_path / "c.safetensors", {"m": model}, optimizer, clock)
    again, clock2 = nn.Linear(3, 2), tr.Clock(10, None)
    optimizer2 = torch.optim.AdamW(again.parameters(), lr=0.1)
    cp.load_checkpoint(tmp_path / "c.safetensors", {"m": again}, optimizer2, clock2)
    step(model, optimizer)
    step(again, optimizer2)
    assert torch.equal(model.weight, again.weight)
    assert clock2.step == 1
    assert clock2.elapsed == pytest.approx(2.0, abs=0.1)


def test_a_checkpoint_of_other_sizes_is_refused(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    cp.save_checkpoint(tmp_path / "c.safetensors", {"m": model}, optimizer, tr.Clock(1, None))
    with pytest.raises(InputError, match="does not fit this model"):
        cp.load_checkpoint(tmp_path / "c.safetensors", {"m": nn.Linear(4, 2)})
    with pytest.raises(InputError, match="does not exist"):
        cp.load_checkpoint(tmp_path / "absent", {"m": model})


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
        return df.compute_weighted_error(found, part, alphas)

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


def test_gradients_in_bfloat16_do_not_depend_on_other_threads() -> None:
    layer, inputs = nn.Linear(64, 64), torch.randn(2, 8, 64)

    def enter_and_leave() -> None:
        with precision("cpu", bf16=True):
            layer(inputs[0])

    def gradient(meanwhile: Callable[[], None]) -> torch.Tensor:
        with precision("cpu", bf16=True):
            first = layer(inputs[0])
            meanwhile()
            second = layer(inputs[1])
        return torch.autograd.grad((first + second).float().square().sum(), layer.weight)[0]

    def elsewhere() -> None:
        thread = Thread(target=enter_and_leave)
        thread.start()
        thread.join()

    assert torch.equal(gradient(lambda: None), gradient(elsewhere))
