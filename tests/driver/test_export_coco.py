"""COCO files, read back by pycocotools."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.objects import find_objects
from manyshot.driver.export.outline import box
from PIL import Image

from ..support.export_folders import FEW, RING, SHAPES, label_mask, make, make_labelled, masks, run


@FEW
@given(st.lists(masks, min_size=1, max_size=4))
@example(SHAPES)
def test_coco_reads_the_same_masks_boxes_and_labels(objects):
    from pycocotools.coco import COCO

    with TemporaryDirectory() as place:
        records = make(Path(place), objects)
        with TemporaryDirectory() as out:
            run(Path(place), "coco", Path(out))
            coco = COCO(Path(out, "annotations", "instances_train.json"))
            for number, (object_, record) in enumerate(zip(objects, records, strict=True), 1):
                (image,) = coco.loadImgs(number)
                assert (image["height"], image["width"]) == object_.shape
                source = Path(place, record.file_name).read_bytes()
                assert Path(out, "images", "train", image["file_name"]).read_bytes() == source
                found = coco.loadAnns(coco.getAnnIds(imgIds=number))
                assert len(found) == object_.any()
                for annotation in found:
                    assert (coco.annToMask(annotation) == object_).all()
                    assert annotation["bbox"] == list(box(object_) or ())
                    assert annotation["area"] == object_.sum()
                    (category,) = coco.loadCats(annotation["category_id"])
                    assert category["name"] == record.class_name
                    assert category["id"] == record.label + 1


def test_coco_has_polygons_where_no_part_has_a_hole_and_run_lengths_elsewhere(tmp_path):
    make(tmp_path / "in", SHAPES)
    run(tmp_path / "in", "coco", tmp_path / "out")
    text = (tmp_path / "out/annotations/instances_train.json").read_text(encoding="utf-8")
    kinds = {a["image_id"]: type(a["segmentation"]) for a in json.loads(text)["annotations"]}
    assert kinds == {1: dict, 2: list, 3: list, 5: dict}


def is_said(mask: LabelMask, said: dict[str, np.ndarray]) -> None:
    """Of each class that the mask shows just its pixels: no background, nothing ignored."""
    wanted = {one.class_name: one.mask for one in find_objects(mask)}
    assert said.keys() == wanted.keys()
    for name, pixels in said.items():
        assert (pixels == wanted[name]).all()


@FEW
@given(masks, masks)
def test_coco_has_a_category_for_each_class_of_label_masks(one, other):
    from pycocotools.coco import COCO

    height, width = (min(sides) + 1 for sides in zip(one.shape, other.shape, strict=True))
    one, other = (np.resize(mask, (height, width)) for mask in (one, other))
    mask = label_mask(one, other)
    with TemporaryDirectory() as place, TemporaryDirectory() as out:
        make_labelled(Path(place), [mask])
        run(Path(place), "coco", Path(out))
        coco = COCO(Path(out, "annotations", "instances_train.json"))
        assert [row["name"] for row in coco.loadCats(coco.getCatIds())] == ["cat", "dog"]
        said = {}
        for row in coco.loadAnns(coco.getAnnIds(imgIds=1)):
            (category,) = coco.loadCats(row["category_id"])
            pixels = said[category["name"]] = coco.annToMask(row) > 0
            assert row["bbox"] == list(box(pixels) or ())
            assert row["area"] == pixels.sum()
        is_said(mask, said)


def test_coco_takes_label_masks_and_black_and_white_ones_together(tmp_path):
    mask = label_mask(RING, ~RING & np.eye(7, dtype=bool))
    make_labelled(tmp_path / "in", [mask, mask, mask])
    Image.fromarray(RING.astype(np.uint8) * 255).save(tmp_path / "in/masks/fruit fly/2.png")
    run(tmp_path / "in", "coco", tmp_path / "out")
    read = json.loads((tmp_path / "out/annotations/instances_train.json").read_text("utf-8"))
    assert [row["name"] for row in read["categories"]] == ["cat", "dog", "fruit fly"]
    found = [(row["image_id"], row["category_id"]) for row in read["annotations"]]
    assert found == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)]
