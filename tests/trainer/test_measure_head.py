"""Linear heads: the same as torch's own SGD, whether trained alone or side by side."""

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from manyshot.trainer.measure.added import Labelled
from manyshot.trainer.measure.arms import REAL_ONLY
from manyshot.trainer.measure.class_metrics import classification_outcome
from manyshot.trainer.measure.head import FIRST, MOMENTUM, fit_heads, head_learner, standardise
from manyshot.trainer.measure.learner import Options
from manyshot.trainer.measure.plans import Budget, Plan, make_plan
from manyshot.trainer.measure.thesis import train_early_stopping, train_steps

from ..support.measure_clouds import cloud

TABLE, FEATURES = cloud()
NONE = Labelled(np.empty(0, int), np.empty(0, int))


def plans(count: int) -> list[Plan]:
    budget = Budget(steps=15, batch=6)
    return [make_plan(TABLE, TABLE.real, NONE, REAL_ONLY, budget, [s, s]) for s in range(count)]


def reference(plan: Plan, option: Options) -> torch.Tensor:
    """The weights after training with autograd, torch.optim.SGD and torch's cosine schedule."""
    rows = torch.from_numpy(FEATURES)
    weight = torch.zeros(FEATURES.shape[1], 5, requires_grad=True)
    bias = torch.zeros(5, requires_grad=True)
    groups = [{"params": [weight], "weight_decay": option.decay}, {"params": [bias]}]
    optimiser = torch.optim.SGD(groups, lr=option.rate, momentum=MOMENTUM)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, len(plan.rows))
    for seen, labels, weights in zip(plan.rows, plan.labels, plan.weights, strict=True):
        logits = rows[torch.from_numpy(seen)] @ weight + bias
        losses = torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(labels), reduction="none"
        )
        optimiser.zero_grad()
        (losses * torch.from_numpy(weights)).sum().backward()
        optimiser.step()
        schedule.step()
    return weight.detach()


def test_heads_are_what_torchs_sgd_gives() -> None:
    options = [Options(0.05, 0.0), Options(0.2, 0.1), Options(0.01, 0.01)]
    found = fit_heads(torch.from_numpy(FEATURES), plans(3), options, 5)
    for weight, plan, option in zip(found.weight, plans(3), options, strict=True):
        torch.testing.assert_close(weight, reference(plan, option), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("count", [3, 10])
def test_heads_on_few_images_are_the_same_as_well(count: int) -> None:
    """Fewer images than features, one of them twice."""
    few = Labelled(np.repeat(TABLE.real[::20][:count], 2), np.repeat(np.arange(count) % 5, 2))
    one = make_plan(TABLE, few.rows, NONE, REAL_ONLY, Budget(steps=15, batch=6), [0, 0])
    [weight] = fit_heads(torch.from_numpy(FEATURES), [one], [Options(0.2, 0.1)], 5).weight
    torch.testing.assert_close(weight, reference(one, Options(0.2, 0.1)), atol=1e-4, rtol=1e-4)


def test_a_run_is_the_same_alone_and_in_company() -> None:
    fit = head_learner(FEATURES, TABLE.labels, 5).bind(TABLE.real[:20])
    together = fit(plans(3), [FIRST] * 3, TABLE.test)
    alone = fit(plans(3)[1:2], [FIRST], TABLE.test)
    np.testing.assert_allclose(together[1], alone[0], rtol=1e-3, atol=1e-3)


def test_standardised_features() -> None:
    found = standardise(FEATURES, TABLE.real)[TABLE.real]
    assert found.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert np.square(found).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)


def test_metrics_by_hand() -> None:
    scores = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]))
    outcome = classification_outcome(scores, np.array([0, 0, 1, 1]))
    found = outcome.metrics
    assert (found["accuracy"], found["balanced accuracy"], outcome.by_class) == (
        0.75,
        0.75,
        (1, 0.5),
    )
    assert outcome.by_image.tolist() == [True, True, False, True]
    assert outcome.loss == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.7]))
    assert found["macro F1"] == pytest.approx((0.8 + 2 / 3) / 2)
    # Each image has a bin of its own: the mean of |confidence - right|.
    assert found["calibration error"] == pytest.approx((0.1 + 0.2 + 0.6 + 0.3) / 4, abs=1e-6)


def test_the_thesis_protocol_stops_after_five_epochs_without_a_rise() -> None:
    one = Labelled(TABLE.real[:40], TABLE.labels[TABLE.real[:40]])
    hopeless = (TABLE.test, np.full(len(TABLE.test), 7))  # there is no such class
    rows = torch.from_numpy(FEATURES)
    found = train_early_stopping(rows, [one, one], 5, hopeless, [[0, 0], [0, 1]])
    assert found.steps.tolist() == [15, 15]  # 40 images are 3 steps an epoch
    usual = train_early_stopping(rows, [one], 5, (TABLE.real[:40], one.labels), [[0, 0]])
    assert 15 < usual.steps[0] <= 55 * 3


def test_matched_runs_take_exactly_their_steps_and_no_others() -> None:
    images = Labelled(TABLE.real[::3], TABLE.labels[TABLE.real[::3]])
    rows = torch.from_numpy(FEATURES)
    found = train_steps(rows, [images] * 2, 5, np.array([4, 31]), [[0, 0], [0, 1]])
    alone = train_steps(rows, [images], 5, np.array([4]), [[0, 0]])
    assert found.steps.tolist() == [4, 31]
    torch.testing.assert_close(found.heads.weight[0], alone.heads.weight[0])
