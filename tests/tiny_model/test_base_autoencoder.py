"""A step of the autoencoder's training: what it draws, who learns, and what they are told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("timm")

import torch
from manyshot.core.errors import InputError
from manyshot.trainer.checkpoints import IMPORTED, read_facts, save_checkpoint
from manyshot.trainer.imagenet import (
    WIDTHS,
    load_imagenet_net,
    perceptual_loss,
    stage_features,
)
from manyshot.trainer.training import Clock
from safetensors.torch import load_file
from timm.models.efficientnet import EfficientNet
from tiny_model import autoencoder as ae
from tiny_model import autoencoder_batches as ab
from tiny_model import autoencoder_step as st
from tiny_model import discriminator as ds
from tiny_model.train_autoencoder import train_autoencoder

from ..support.base_sizes import SMALL

WATCHED = torch.zeros(1, 3, 32, 32)
TINY_STEPS = ab.AutoencoderOptions(steps=2, batch=4, crop=32, bf16=False, workers=2)
BEGUN = st.Stage(step=0, progress=0.0)


@pytest.fixture(scope="module")
def eyes() -> EfficientNet:
    return load_imagenet_net()


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (40, 48, 3), dtype=np.uint8) for _ in range(3)]


@pytest.fixture
def trainees() -> st.Trainees:
    model, average = ae.TrainableAutoencoder(SMALL), ae.TrainableAutoencoder(SMALL)
    return st.Trainees(model, average, ds.Discriminator())


def parts(images: list[np.ndarray], options: ab.AutoencoderOptions) -> list[ab.Part]:
    return ab.random_parts(images, options, np.random.default_rng(0))


@pytest.mark.parametrize(("workers", "sizes"), [(1, [4]), (2, [2, 2]), (3, [2, 2]), (9, [1] * 4)])
def test_workers_share_one_random_batch(
    images: list[np.ndarray], workers: int, sizes: list[int]
) -> None:
    found = parts(images, replace(TINY_STEPS, workers=workers))
    assert [part.pixels.shape for part in found] == [(n, 3, 32, 32) for n in sizes]
    assert [part.noise.shape for part in found] == [(n, 4, 4, 4) for n in sizes]
    [whole] = parts(images, replace(TINY_STEPS, workers=1))
    assert torch.equal(torch.cat([part.pixels for part in found]), whole.pixels)
    assert torch.equal(torch.cat([part.noise for part in found]), whole.noise)
    assert 0.03 < whole.noise.std() < 0.07
    assert len(np.unique(np.abs(whole.noise.numpy()))) == whole.noise.numel()


def test_a_worker_draws_no_random_number_and_changes_nothing(
    trainees: st.Trainees, images: list[np.ndarray], eyes: EfficientNet
) -> None:
    options = replace(TINY_STEPS, adversarial=1.0)
    states = {n: m.state_dict() for n, m in trainees.modules().items()}
    before = {n: {k: v.clone() for k, v in s.items()} for n, s in states.items()}
    chances = torch.get_rng_state()
    for part in parts(images, options):
        st.find_lesson(trainees, eyes, options, BEGUN, part)
    assert torch.equal(torch.get_rng_state(), chances)
    for name, module in trainees.modules().items():
        assert all(torch.equal(v, before[name][k]) for k, v in module.state_dict().items()), name


def test_latents_are_normalised_by_what_the_whole_batch_shows(
    trainees: st.Trainees, images: list[np.ndarray], eyes: EfficientNet
) -> None:
    lessons = [
        st.find_lesson(trainees, eyes, TINY_STEPS, BEGUN, part)
        for part in parts(images, TINY_STEPS)
    ]
    st.take_step(trainees, torch.optim.SGD(trainees.learning(), lr=0.0), lessons)
    encoded = torch.cat([lesson.encoded for lesson in lessons])
    mean, momentum = trainees.model.norm.running_mean, 0.02
    assert mean is not None
    assert torch.allclose(mean, momentum * encoded.mean(dim=(0, 2, 3)), atol=1e-6)


def test_without_a_discriminator_none_learns(
    trainees: st.Trainees, images: list[np.ndarray], eyes: EfficientNet
) -> None:
    part = parts(images, TINY_STEPS)[0]
    assert st.find_lesson(trainees, eyes, TINY_STEPS, BEGUN, part).discriminator is None


def test_the_discriminator_learns_before_it_is_heeded(
    trainees: st.Trainees, images: list[np.ndarray], eyes: EfficientNet
) -> None:
    part = parts(images, TINY_STEPS)[0]

    def lesson(adversarial: float, step: int) -> st.Lesson:
        options = replace(TINY_STEPS, adversarial=adversarial)
        return st.find_lesson(trainees, eyes, options, st.Stage(step, 1.0), part)

    alone, early, late = lesson(0.0, 0), lesson(1.0, 0), lesson(1.0, 1000)
    pairs = zip(alone.autoencoder[1], early.autoencoder[1], strict=True)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)
    assert early.discriminator is not None
    assert any(gradient.abs().sum() > 0 for gradient in early.discriminator[1])
    pairs = zip(alone.autoencoder[1], late.autoencoder[1], strict=True)
    assert not all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.0), (100, 0.0), (200, 0.5), (300, 1.0), (9999, 1.0)]
)
def test_the_discriminator_is_heeded_little_by_little(step: int, share: float) -> None:
    assert st.adversarial_ramp(step) == pytest.approx(share)


@pytest.mark.parametrize(
    ("real", "fake", "judged", "drawn"),
    [
        (2.0, -3.0, 0.0, 3.0),  # sure and right: nothing to learn for the discriminator
        (0.0, 0.0, 2.0, 0.0),
        (-1.0, 1.0, 4.0, -1.0),
    ],
)
def test_hinge_losses(real: float, fake: float, judged: float, drawn: float) -> None:
    photos, pictures = ([torch.full((2, 1, 3, 3), score)] * 2 for score in (real, fake))
    assert ds.discriminator_loss(photos, pictures).item() == pytest.approx(judged)
    assert ds.generator_loss(pictures).item() == pytest.approx(drawn)


def test_the_discriminator_judges_patches_at_six_scales(eyes: EfficientNet) -> None:
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1
    features = stage_features(eyes, pixels)
    assert [stage.shape[1] for stage in features] == list(WIDTHS)
    scores = ds.Discriminator()(pixels, features)
    assert [tuple(score.shape) for score in scores] == [
        (2, 1, side, side) for side in (16, 32, 16, 8, 4, 4)
    ]


def test_the_discriminator_learns_to_tell_noise_from_flat_pictures(eyes: EfficientNet) -> None:
    torch.manual_seed(0)
    judge, noise = ds.Discriminator(), torch.rand(4, 3, 32, 32) * 2 - 1
    plain = noise.mean(dim=(2, 3), keepdim=True).expand(noise.shape)
    real, fake = ((pixels, stage_features(eyes, pixels)) for pixels in (noise, plain))
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        loss = ds.discriminator_loss(judge(*real), judge(*fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_the_perceptual_loss_grows_with_damage(eyes: EfficientNet) -> None:
    torch.manual_seed(0)
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1

    def distance(damage: float) -> float:
        other = pixels + damage * torch.randn_like(pixels)
        return perceptual_loss(stage_features(eyes, other), stage_features(eyes, pixels)).item()

    assert distance(0.0) == pytest.approx(0.0, abs=1e-6)
    assert 0 < distance(0.05) < distance(0.5) <= 2


@pytest.mark.parametrize("crop", [20, 48, 41])
def test_crops_that_do_not_fit_are_refused(
    images: list[np.ndarray], tmp_path: Path, crop: int
) -> None:
    with pytest.raises(InputError, match=f"Crops of {crop} pixels .* multiple of 8 up to 40"):
        train_autoencoder(images, WATCHED, SMALL, replace(TINY_STEPS, crop=crop), tmp_path)


def test_what_is_given_back_and_loaded_is_the_moving_average(
    images: list[np.ndarray], tmp_path: Path
) -> None:
    found = train_autoencoder(images, WATCHED, SMALL, replace(TINY_STEPS, rate=0.01), tmp_path)
    stored = load_file(tmp_path / ae.CHECKPOINT)
    first = "vae.decoder.layers.0.weight"
    assert not torch.equal(stored[f"average.{first}"], stored[f"autoencoder.{first}"])
    loaded = ae.load_autoencoder(tmp_path, SMALL)
    for vae in (found, loaded):
        assert torch.equal(vae.state_dict()["decoder.layers.0.weight"], stored[f"average.{first}"])


def test_an_imported_autoencoder_without_average_or_discriminator_goes_on(
    trainees: st.Trainees, images: list[np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / ae.CHECKPOINT
    optimizer = torch.optim.AdamW(trainees.learning())
    modules, imported = {"autoencoder": trainees.model}, {IMPORTED: "a.safetensors"}
    save_checkpoint(path, modules, optimizer, Clock(9, None, step=1), imported)
    before = ae.load_autoencoder(tmp_path, SMALL).state_dict()["decoder.layers.0.weight"]
    expected = trainees.model.vae.state_dict()["decoder.layers.0.weight"]
    assert torch.equal(before, expected)
    train_autoencoder(images, WATCHED, SMALL, TINY_STEPS, tmp_path)
    assert read_facts(path)["step"] == 2
    after = ae.load_autoencoder(tmp_path, SMALL).state_dict()["decoder.layers.0.weight"]
    assert torch.allclose(before, after, atol=0.01)
