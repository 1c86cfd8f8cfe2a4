"""YOLO folders, read back by labelformat."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from manyshot.core.masks.objects import find_objects
from manyshot.driver.export.outline import box

from ..support.export_folders import (
    FEW,
    FULL,
    RING,
    SHAPES,
    even_odd,
    files,
    label_mask,
    make,
    make_labelled,
    masks,
    run,
    write,
)


@FEW
@given(st.lists(masks, min_size=1, max_size=4), st.sampled_from(["polygons", "boxes"]))
@example(SHAPES, "polygons")
@example(SHAPES, "boxes")
def test_yolo_reads_the_same_shapes_and_labels(objects, shapes):
    from labelformat.formats import yolov8

    readers = {
        "polygons": yolov8.YOLOv8InstanceSegmentationInput,
        "boxes": yolov8.YOLOv8ObjectDetectionInput,
    }
    with TemporaryDirectory() as place, TemporaryDirectory() as out:
        records = make(Path(place), objects)
        run(Path(place), "yolo", Path(out), shapes)
        rows = list(readers[shapes](Path(out, "data.yaml"), "train").get_labels())
    found = {row.image.filename: row.objects for row in rows}
    assert len(found) == len(objects)
    for object_, record in zip(objects, records, strict=True):
        here = found[Path(record.file_name).name]
        assert len(here) == object_.any()
        for one in here:
            assert (one.category.id, one.category.name) == (record.label, record.class_name)
            if shapes == "boxes":
                left, top, width, height = box(object_) or (0, 0, 0, 0)
                corners = [left, top, left + width, top + height]
                read = [one.box.xmin, one.box.ymin, one.box.xmax, one.box.ymax]
                assert read == pytest.approx(corners, abs=1e-6)
            else:
                ring = np.array(one.segmentation.polygons[0])
                assert (even_odd(ring, object_.shape) == object_).all()


def test_equal_names_in_two_classes_stay_apart(tmp_path):
    records = make(tmp_path, SHAPES[:2])
    (tmp_path / records[1].file_name).rename(tmp_path / "images/dog/0.png")
    other = records[1].model_copy(update={"file_name": "images/dog/0.png"})
    write(tmp_path, [records[0], other])
    with TemporaryDirectory() as out:
        run(tmp_path, "yolo", Path(out))
        assert {"labels/train/0.txt", "labels/train/0-2.txt"} <= files(Path(out)).keys()


def test_without_masks_the_whole_image_can_be_the_box(tmp_path):
    make(tmp_path / "in", [FULL, RING], mask_file_name=None)
    run(tmp_path / "in", "yolo", tmp_path / "out", "image")
    assert (tmp_path / "out/labels/train/1.txt").read_text() == "1 0.5 0.5 1 1\n"
    for to in ("coco", "webdataset", "imagefolder", "huggingface"):
        run(tmp_path / "in", to, tmp_path / to, "image")


@pytest.mark.parametrize("shapes", ["polygons", "boxes"])
def test_yolo_has_a_line_for_each_class_of_label_masks(tmp_path, shapes):
    from labelformat.formats import yolov8

    dogs = np.zeros_like(RING)
    dogs[5:, 1:4] = True
    mask = label_mask(RING, dogs)
    make_labelled(tmp_path / "in", [mask])
    run(tmp_path / "in", "yolo", tmp_path / "out", shapes)
    readers = {
        "polygons": yolov8.YOLOv8InstanceSegmentationInput,
        "boxes": yolov8.YOLOv8ObjectDetectionInput,
    }
    (row,) = readers[shapes](tmp_path / "out/data.yaml", "train").get_labels()
    wanted = {one.class_name: one for one in find_objects(mask)}
    assert [one.category.name for one in row.objects] == ["cat", "dog"]
    for one in row.objects:
        if shapes == "boxes":
            read = [one.box.xmin, one.box.ymin, one.box.xmax, one.box.ymax]
            assert read == pytest.approx(wanted[one.category.name].box, abs=1e-6)
        else:
            ring = np.array(one.segmentation.polygons[0])
            assert (even_odd(ring, RING.shape) == wanted[one.category.name].mask).all()
