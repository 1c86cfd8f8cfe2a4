"""Pascal VOC, read back by our reader; and objects for the parts of a mask."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from manyshot.core.data.formats import voc
from manyshot.core.errors import InputError
from manyshot.core.masks.labelled_png import read_labelled

from ..support.export_folders import EMPTY, FULL, RING, label_mask, make, make_labelled, run, write

TWO = np.zeros((6, 9), bool)
TWO[1:3, 1:4] = TWO[4:6, 6:9] = True


def objects(file: Path) -> list[tuple[str, ...]]:
    root = ElementTree.parse(file).getroot()
    corners = ("xmin", "ymin", "xmax", "ymax")
    return [
        (item.findtext("name") or "", *(item.findtext(f"bndbox/{c}") or "" for c in corners))
        for item in root.findall("object")
    ]


def test_the_reader_of_voc_reads_images_classes_masks_and_splits(tmp_path):
    make(tmp_path / "in", [RING, FULL, EMPTY, RING, FULL, EMPTY])
    run(tmp_path / "in", "voc", tmp_path / "out", share=0.5)
    images = {image.name: image for image in voc.read(tmp_path / "out", None)}
    assert {name: image.annotated for name, image in images.items()} == {
        "0.png": ("cat",),
        "1.png": ("dog",),
        "2.png": (),
        "3.png": ("cat",),
        "4.png": ("dog",),
        "5.png": (),
    }
    assert sorted(str(image.split) for image in images.values()) == ["train"] * 3 + ["val"] * 3
    mask = read_labelled(tmp_path / "out/SegmentationClass/1.png")
    assert mask is not None
    assert mask.classes == ("background", "cat", "dog", "fruit fly")
    assert (mask.labels == 2).all()
    ring = read_labelled(tmp_path / "out/SegmentationClass/0.png")
    assert ring is not None
    assert (ring.labels == RING).all()


def test_boxes_of_voc_count_from_one_and_include_both_ends(tmp_path):
    make(tmp_path / "in", [TWO])
    run(tmp_path / "in", "voc", tmp_path / "out")
    assert objects(tmp_path / "out/Annotations/0.xml") == [("cat", "2", "2", "9", "6")]
    run(tmp_path / "in", "voc", tmp_path / "parts", "boxes", instances=True)
    assert objects(tmp_path / "parts/Annotations/0.xml") == [
        ("cat", "2", "2", "4", "3"),
        ("cat", "7", "5", "9", "6"),
    ]
    assert not (tmp_path / "parts/SegmentationClass").exists()


def test_masks_of_voc_keep_what_label_masks_ignore(tmp_path):
    make_labelled(tmp_path / "in", [label_mask(TWO, np.roll(TWO, 1, axis=0))])
    run(tmp_path / "in", "voc", tmp_path / "out")
    mask = read_labelled(tmp_path / "out/SegmentationClass/0.png")
    assert mask is not None
    assert mask.labels[0, 0] == 255
    assert mask.classes == ("background", "cat", "dog")


def test_instances_are_the_connected_parts_in_coco_and_yolo(tmp_path):
    make(tmp_path / "in", [TWO])
    run(tmp_path / "in", "coco", tmp_path / "coco", instances=True)
    text = (tmp_path / "coco/annotations/instances_train.json").read_text()
    boxes = [annotation["bbox"] for annotation in json.loads(text)["annotations"]]
    assert boxes == [[1, 1, 3, 2], [6, 4, 3, 2]]
    run(tmp_path / "in", "yolo", tmp_path / "yolo", "boxes", instances=True)
    lines = (tmp_path / "yolo/labels/train/0.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["0", "0"]


def test_instances_of_noise_are_refused(tmp_path):
    noise = np.indices((200, 200)).sum(axis=0) % 3 == 0
    noise[1::2] = False
    make(tmp_path / "in", [noise])
    with pytest.raises(InputError, match="is in 6,[0-9]+ pieces, too many to be objects"):
        run(tmp_path / "in", "coco", tmp_path / "out", instances=True)


def test_values_of_a_sweep_go_into_exports(tmp_path):
    from datasets import load_dataset

    sweep = {"KSampler.cfg": 7, "Loader.name": "a.safetensors", "KSampler.seed": 2**64 - 1}
    records = make(tmp_path / "in", [RING, FULL], sweep=sweep)
    other = records[1].model_copy(update={"sweep": {**sweep, "KSampler.cfg": 7.5}})
    write(tmp_path / "in", [records[0], other])
    run(tmp_path / "in", "huggingface", tmp_path / "hf")
    rows = load_dataset(str(tmp_path / "hf"), split="train", cache_dir=str(tmp_path / "cache"))
    assert list(rows["KSampler.cfg"]) == [7.0, 7.5]
    assert list(rows["KSampler.seed"]) == [2**64 - 1] * 2
    assert list(rows["Loader.name"]) == ["a.safetensors"] * 2
    assert "KSampler.cfg" in (tmp_path / "hf/README.md").read_text()
    run(tmp_path / "in", "coco", tmp_path / "coco")
    text = (tmp_path / "coco/annotations/instances_train.json").read_text()
    assert json.loads(text)["images"][0]["sweep"] == sweep
