"""Exports of every format: what they say, refuse and leave behind."""

import sys
from pathlib import Path

import numpy as np
import pytest
from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.records import METADATA
from manyshot.driver.export.export import export
from manyshot.driver.export.options import Drawing, Format
from PIL import Image

from .export_folders import RING, SHAPES, files, make, run, write


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
    make(tmp_path / "in", SHAPES)
    steps: list[tuple[str, int, int]] = []
    export(tmp_path / "in", to, tmp_path / "out", Drawing(), 0.5, 0, lambda *s: steps.append(s))
    assert steps[:5] == [("reading", number, 5) for number in range(1, 6)]
    assert steps[-1][1:] == (5, 5)


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
        image.unlink()
    elif how == "no_image":
        image.write_bytes(b"no image")
    elif how == "size":
        Image.new("L", (3, 3)).save(mask)
    elif how == "index":
        Image.fromarray(RING.astype(np.uint8)).save(mask)
    elif how == "colours":
        Image.new("RGB", RING.shape).save(mask)
    elif how == "bits":
        Image.new("I;16", RING.shape).save(mask)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("no_mask", "1 of 2 images have no mask, images/cat/0.png for one"),
        ("outside", "'..' cannot be used"),
        ("class", "class name '../up'"),
        ("label", "gives the label 1 to 'cat' and to 'dog'"),
        ("twice", "2 records of images/dog/1.png"),
        ("none_kept", "no kept record"),
        ("json", ", is no record (Invalid JSON"),
        ("field", ", is no record (label: Field required)"),
        ("gone", "has no such file"),
        ("no_image", "0.png cannot be read"),
        ("size", "has 3x3 pixels and its image 7x7"),
        ("index", "largest value in the mask"),
        ("colours", "is of the kind 'RGB'"),
        ("bits", "is of the kind 'I;16'"),
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


def test_the_command_says_what_it_wrote(tmp_path):
    from manyshot.cli import app
    from typer.testing import CliRunner

    make(tmp_path / "in", SHAPES)
    options = ["--to", "yolo", "--output", str(tmp_path / "out"), "--val-share", "0.5"]
    answer = CliRunner().invoke(app, ["export", str(tmp_path / "in"), *options])
    assert answer.exit_code == 0
    assert "3 + 2 images of 3 classes" in answer.output
    assert (tmp_path / "out/data.yaml").is_file()
