"""Images that were deleted by hand are left out of measurements and curations, and told of."""

import os
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError
from manyshot.core.records import METADATA, Record, describe_deleted, drop_deleted, read_records
from manyshot.driver.export.export_material import read_material
from manyshot.trainer.measure.caveats import notes_on_deleted
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.sources import read_examples
from PIL import Image

NAMES = ("cat/0", "cat/1", "dog/0", "dog/1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cats and two dogs, of which dog/1 is rejected."""
    made = tmp_path / "made"
    records: list[Record] = []
    for name in NAMES:
        path = made / "images" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path)
        class_name = name.split("/")[0]
        facts: dict[str, Any] = {"kept": name != "dog/1", "label": int(class_name == "dog")}
        records.append(Record(file_name=f"images/{name}.png", class_name=class_name, **facts))
    (made / METADATA).write_text("".join(record.line() for record in records))
    return made


def delete(folder: Path, *names: str) -> None:
    for name in names:
        (folder / "images" / f"{name}.png").unlink()


@pytest.mark.parametrize(
    ("deleted", "left"),
    [
        ((), NAMES),
        (("cat/1",), ("cat/0", "dog/0", "dog/1")),
        (("cat/0", "dog/1"), ("cat/1", "dog/0")),
        (NAMES, ()),
    ],
)
def test_deleted_images_are_left_out(
    folder: Path, deleted: tuple[str, ...], left: tuple[str, ...]
) -> None:
    delete(folder, *deleted)
    there, count = drop_deleted(folder, read_records(folder))
    assert [record.file_name for record in there] == [f"images/{name}.png" for name in left]
    assert count == len(deleted)


def test_a_class_folder_that_is_gone_is_lost_and_not_rejected(folder: Path) -> None:
    delete(folder, "dog/0", "dog/1")
    (folder / "images" / "dog").rmdir()
    there, count = drop_deleted(folder, read_records(folder))
    assert [record.file_name for record in there][2:] == ["images/dog/0.png"]
    assert count == 1  # the rejected one


def test_a_measurement_reads_what_is_there(folder: Path) -> None:
    recipe = MeasureRecipe.model_validate(
        {"data": {"path": str(folder)}, "synthetic": str(folder), "output": str(folder / "out")}
    )
    assert notes_on_deleted(recipe) == []
    delete(folder, "cat/1", "dog/1")
    assert [example.name for example in read_examples(folder)] == [
        "images/cat/0.png",
        "images/dog/0.png",
    ]
    assert notes_on_deleted(recipe) == [
        f"Of {folder} 1 image was deleted: it counts as rejected and is left out."
    ]
    delete(folder, "cat/0", "dog/0")
    with pytest.raises(InputError, match=r"3 images were deleted.*Nothing is left"):
        read_examples(folder)


def test_the_sentence_counts() -> None:
    assert describe_deleted(2, Path("out")) == (
        "Of out 2 images were deleted: they count as rejected and are left out."
    )


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing"])
def test_what_lies_in_an_image_s_place_is_not_taken_for_deleted(folder: Path, kind: str) -> None:
    delete(folder, "cat/1")
    path = folder / "images" / "cat" / "1.png"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(folder / "nothing.png")
    assert drop_deleted(folder, read_records(folder))[1] == 0
    with pytest.raises(InputError, match=r"1\.png"):
        read_material(folder, 0, 0, lambda *_: None)
