"""Exports of every format: what they say, refuse and leave behind."""

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import encode_png, read_labelled
from manyshot.core.records import METADATA
from manyshot.driver.export.export_dataset import export
from manyshot.driver.export.options import Drawing, Format
from PIL import Image

from ..support.export_folders import CLASSES, RING, SHAPES, files, make, run, write


def test_an_imagefolder_has_classes_and_masks_beside(tmp_path):
    records = make(tmp_path / "in", SHAPES)
    write(tmp_path / "in", [records[0].model_copy(update={"kept": False}), *records[1:]])
    run(tmp_path / "in", "imagefolder", tmp_path / "out")
    source = files(tmp_path / "in")
    assert files(tmp_path / "out") == {
        f"{kind}/train/{name}": source[f"{kind}/{name}"]
        for kind in ("images", "masks")
        for name in ("dog/1.png", "fruit fly/2.png", "cat/3.png", "dog/4.png")
    }


@pytest.mark.parametrize("to", list(Format))
def test_the_same_export_has_the_same_bytes(tmp_path, to):
    make(tmp_path / "in", SHAPES * 4)
    counts = [run(tmp_path / "in", to, tmp_path / f"out{n}", share=0.3) for n in (1, 2)]
    assert counts[0].train + counts[0].val == len(SHAPES) * 4
    assert counts[0].val == 6  # of classes of 7, 7 and 6
    assert files(tmp_path / "out1") == files(tmp_path / "out2")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("to", list(Format))
def test_every_image_is_told_when_it_is_read_and_written(tmp_path, to):
    make(tmp_path / "in", SHAPES * 2)
    steps: list[tuple[str, int, int]] = []
    export(tmp_path / "in", to, tmp_path / "out", Drawing(), 0.5, 0, lambda *s: steps.append(s))
    assert steps[:10] == [("reading", number, 10) for number in range(1, 11)]
    assert steps[-1][1:] == (10, 10)


def test_a_deleted_image_is_left_out_and_counted(tmp_path):
    records = make(tmp_path / "in", [RING, RING, RING])
    (tmp_path / "in" / records[1].file_name).unlink()
    done = export(tmp_path / "in", Format.IMAGEFOLDER, tmp_path / "out", Drawing(), 0, 0, no_step)
    assert (done.train, done.deleted) == (2, 1)
    assert len(list((tmp_path / "out" / "images").rglob("*.png"))) == 2
    for record in (records[0], records[2]):
        (tmp_path / "in" / record.file_name).unlink()
    with pytest.raises(InputError, match="3 images were deleted.*There is nothing to export"):
        export(tmp_path / "in", Format.COCO, tmp_path / "none", Drawing(), 0, 0, no_step)


def no_step(*_: object) -> None:
    pass


def damaged(folder: Path, how: str) -> None:
    """A folder of two good records, and one thing wrong with it."""
    records = make(folder, [RING, RING])
    first = records[0]
    image, mask = folder / first.file_name, folder / str(first.mask_file_name)
    changes = {
        "no_mask": {"mask_file_name": None},
        "outside": {"file_name": "../secret.png"},
        "class": {"class_name": "../up"},
        "label": {"label": 1},
        "twice": {"file_name": records[1].file_name},
    }
    if how in changes:
        write(folder, [first.model_copy(update=changes[how]), records[1]])
    elif how == "none_kept":
        write(folder, [record.model_copy(update={"kept": False}) for record in records])
    elif how == "json":
        (folder / METADATA).write_text("{", encoding="utf-8")
    elif how == "field":
        (folder / METADATA).write_text('{"file_name": "a", "class_name": "b"}', encoding="utf-8")
    elif how == "gone":
        shutil.rmtree(image.parent)
    elif how == "no_image":
        image.write_bytes(b"no image")
    elif how == "size":
        Image.new("L", (3, 3)).save(mask)
    elif how == "index":
        Image.fromarray(RING.astype(np.uint8)).save(mask)
    elif how == "colours":
        Image.new("RGB", RING.shape, (0, 0, 255)).save(mask)
    elif how == "bits":
        Image.new("I;16", RING.shape, 700).save(mask)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no_mask", "1 of 2 images have no mask (such as images/cat/0.png)"),
        ("outside", "leads outside the folder"),
        ("class", "class name '../up'"),
        ("label", "gives the label 1 to 'cat' and to 'dog'"),
        ("twice", "2 records of images/dog/1.png"),
        ("none_kept", "no kept records"),
        ("json", ", is not a record (Invalid JSON"),
        ("field", ", is not a record (label: Field required)"),
        ("gone", "has no such file"),
        ("no_image", "0.png cannot be read"),
        ("size", "has 3x3 pixels and its image 7x7"),
        ("index", "255 may be the object or ignored"),
        ("colours", "is in colour (#0000ff)"),
        ("bits", "among 0 and 700"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence_and_leaves_nothing(tmp_path, how, words):
    damaged(tmp_path / "in", how)
    for to in ("coco", "yolo"):
        with pytest.raises(InputError) as raised:
            run(tmp_path / "in", to, tmp_path / "out")
        assert words in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_output_that_holds_something_or_lies_inside_is_refused(tmp_path):
    make(tmp_path / "in", [RING])
    before = files(tmp_path)
    for out in (tmp_path / "in", tmp_path / "in/new", tmp_path, tmp_path / "in" / METADATA):
        with pytest.raises(InputError):
            run(tmp_path / "in", "imagefolder", out)
    assert files(tmp_path) == before


def test_a_disk_that_fails_leaves_nothing(tmp_path, monkeypatch):
    make(tmp_path / "in", [RING])

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", fail)
    with pytest.raises(ManyshotError, match="No space left on device"):
        run(tmp_path / "in", "imagefolder", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_missing_library_is_a_sentence(tmp_path, monkeypatch):
    make(tmp_path / "in", [RING])
    monkeypatch.setitem(sys.modules, "webdataset.writer", None)
    monkeypatch.delitem(sys.modules, "manyshot.driver.export.web_dataset", raising=False)
    with pytest.raises(ManyshotError, match=r"needs webdataset, .* pip install"):
        run(tmp_path / "in", "webdataset", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


NO_VAL = "val has no images of fruit fly: too few, or all from one source.\n"


@pytest.mark.parametrize(
    ("images", "deleted", "to", "share", "printed"),
    [
        (1, 0, "coco", 0.0, "1 image of 1 class: OUT\n"),
        (5, 0, "imagefolder", 0.0, "5 images of 3 classes: OUT\n"),
        (5, 0, "yolo", 0.5, "NO_VAL3 + 2 images of 3 classes: OUT\n"),
        (
            5,
            1,
            "coco",
            0.0,
            "1 image was deleted: it counts as rejected.\n4 images of 3 classes: OUT\n",
        ),
        (
            6,
            2,
            "yolo",
            0.0,
            "2 images were deleted: they count as rejected.\n4 images of 3 classes: OUT\n",
        ),
    ],
)
def test_the_command_says_what_it_wrote(tmp_path, images, deleted, to, share, printed):
    from manyshot.cli import app
    from typer.testing import CliRunner

    records = make(tmp_path / "in", [*SHAPES, RING][:images])
    for record in records[:deleted]:
        (tmp_path / "in" / record.file_name).unlink()
    out = tmp_path / "out"
    options = ["--to", to, "--output", str(out), "--val-share", str(share)]
    answer = CliRunner().invoke(app, ["export", str(tmp_path / "in"), *options])
    assert answer.exit_code == 0
    expected = printed.replace("OUT", str(out)).replace("NO_VAL", NO_VAL).splitlines()
    assert answer.output.splitlines()[-len(expected) :] == expected
    assert out.is_dir()


def counts_by_split(out: Path) -> dict[str, list[str]]:
    from torchvision.datasets import ImageFolder

    return {split: ImageFolder(out / "images" / split).classes for split in ("train", "val")}


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
def test_train_and_val_of_an_imagefolder_number_the_same_classes(tmp_path, share):
    make(tmp_path / "in", SHAPES * 2)
    run(tmp_path / "in", "imagefolder", tmp_path / "out", share=share)
    assert counts_by_split(tmp_path / "out") == dict.fromkeys(("train", "val"), list(CLASSES))


def test_a_class_without_a_validation_image_is_refused_or_told(tmp_path):
    make(tmp_path / "in", [RING] * 4)  # the second and third class have one image each
    with pytest.raises(InputError, match="no images of 'dog', 'fruit fly'. Readers of class"):
        run(tmp_path / "in", "imagefolder", tmp_path / "out", share=0.5)
    for to in ("coco", "yolo", "webdataset", "huggingface"):
        done = run(tmp_path / "in", to, tmp_path / to, share=0.5)
        assert done.unshared == ("dog", "fruit fly")


def test_classes_of_one_name_but_for_the_case_are_refused(tmp_path):
    records = make(tmp_path / "in", [RING, RING])
    write(tmp_path / "in", [records[0], records[1].model_copy(update={"class_name": "Cat"})])
    for to in Format:
        with pytest.raises(InputError, match="'cat' and 'Cat' differ only in case"):
            run(tmp_path / "in", to, tmp_path / "out")


def two_tables(folder: Path) -> None:
    """1 is a cat in one mask and a dog in the other."""
    for mask, name in zip(make_two(folder), ("cat", "dog"), strict=True):
        mask.write_bytes(encode_png(LabelMask(RING.astype(np.uint8), ("background", name))))


def make_two(folder: Path) -> list[Path]:
    return [folder / str(record.mask_file_name) for record in make(folder, [RING, RING])]


def test_a_value_is_one_class_in_all_masks_of_an_export(tmp_path):
    import io
    import tarfile

    from datasets import load_dataset

    two_tables(tmp_path / "in")
    for to in ("imagefolder", "webdataset", "huggingface"):
        run(tmp_path / "in", to, tmp_path / to)
    folder = tmp_path / "imagefolder"
    found = [folder / f"masks/train/{name}.png" for name in ("cat/0", "dog/1")]
    assert [set(np.unique(np.asarray(Image.open(path)))) for path in found] == [{0, 1}, {0, 2}]
    for path in found:
        mask = read_labelled(path)
        assert mask is not None
        assert mask.classes == ("background", "cat", "dog")
    assert (folder / "mask_classes.txt").read_text() == "background\ncat\ndog\n"
    with tarfile.open(tmp_path / "webdataset" / "train-000000.tar") as tar:
        data = [tar.extractfile(f"{key}.mask.png") for key in (0, 1)]
        read = [
            set(np.unique(np.asarray(Image.open(io.BytesIO(one.read()))))) for one in data if one
        ]
    assert read == [{0, 1}, {0, 2}]
    rows: Any = load_dataset(str(tmp_path / "huggingface"), cache_dir=str(tmp_path / "c"))["train"]
    assert [set(np.unique(np.asarray(row["mask"]))) for row in rows] == [{0, 1}, {0, 2}]
    card = (tmp_path / "huggingface" / "README.md").read_text(encoding="utf-8")
    assert "0 background, 1 cat, 2 dog" in card


def test_masks_of_an_export_go_by_the_palette_of_their_folder(tmp_path):
    import json

    masks = make_two(tmp_path / "in")
    soft = np.pad(np.full((3, 3), 255, np.uint8), 2)
    soft[2, 2:5] = 60, 130, 200
    for mask in masks:
        Image.fromarray(soft).save(mask)
    with pytest.raises(InputError, match="soft edges"):
        run(tmp_path / "in", "coco", tmp_path / "out")
    (tmp_path / "in/palette.yaml").write_text("threshold: 128")
    run(tmp_path / "in", "coco", tmp_path / "out")
    said = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    assert [row["name"] for row in said["categories"]] == list(CLASSES[:2])
    assert [row["category_id"] for row in said["annotations"]] == [1, 2]
    for mask in masks:
        Image.fromarray(RING.astype(np.uint8)).save(mask)
    (tmp_path / "in/palette.yaml").unlink()
    with pytest.raises(InputError, match="hold indices .*Name them in 'palette.yaml'"):
        run(tmp_path / "in", "yolo", tmp_path / "yolo")
    (tmp_path / "in/palette.yaml").write_text("classes: {background: 0, bird: 1}")
    run(tmp_path / "in", "yolo", tmp_path / "yolo")
    assert "0: bird" in (tmp_path / "yolo/data.yaml").read_text()
