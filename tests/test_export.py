"""Exports are read back by the libraries that own the formats, and say what the records say."""

import json
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.records import METADATA, Record
from manyshot.driver.export.export import export
from manyshot.driver.export.options import Drawing, Format, Shapes
from manyshot.driver.export.outline import box, one_ring, polygons, read_object, rings
from manyshot.driver.export.split import validation_names
from PIL import Image

CLASSES = ("cat", "dog", "fruit fly")
RING = np.pad(np.ones((3, 3), bool), 2)
RING[3, 3] = False  # a hole
CORNERS = np.eye(6, 8, dtype=bool) | np.eye(6, 8, 3, dtype=bool)  # parts that touch at corners
FULL, EMPTY = np.ones((5, 7), bool), np.zeros((4, 4), bool)
HOLE_AT_CORNER = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 0]], bool)
SHAPES = [RING, CORNERS, FULL, EMPTY, HOLE_AT_CORNER]
FEW, QUICK = settings(max_examples=15, deadline=None), settings(max_examples=60, deadline=None)
sides = st.integers(1, 14)
masks = st.tuples(sides, sides).flatmap(lambda shape: arrays(np.bool_, shape))


def make(folder: Path, objects: list[np.ndarray], **changes: object) -> list[Record]:
    """A dataset folder of these masks, with images of noise, the classes in turn."""
    records = []
    for number, object_ in enumerate(objects):
        label = number % len(CLASSES)
        name = f"{CLASSES[label]}/{number}.png"
        pixels = np.random.default_rng(number).integers(0, 256, (*object_.shape, 3), np.uint8)
        for kind, content in (("images", pixels), ("masks", object_.astype(np.uint8) * 255)):
            path = folder / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content).save(path)
        facts = {
            "file_name": f"images/{name}",
            "mask_file_name": f"masks/{name}",
            "class_name": CLASSES[label],
            "label": label,
            "prompt": f"a photo, {number} | \U0001f431",
            "seed": 2**64 - 1 - number,
            **changes,
        }
        records.append(Record(**facts))
    write(folder, records)
    return records


def write(folder: Path, records: list[Record]) -> None:
    text = "".join(record.line() for record in records)
    (folder / METADATA).write_text(text, encoding="utf-8")


def run(folder: Path, to: str, out: Path, shapes: str = "polygons", share: float = 0.0, **more):
    drawing = Drawing(Shapes(shapes), more.get("tolerance", 0.0))
    return export(folder, Format(to), out, drawing, share, more.get("seed", 0), lambda *_: None)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def drawn(area: shapely.Geometry, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose middles lie in `area`."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    return shapely.contains_xy(area, columns, rows)


def even_odd(ring: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose middles a ray to the right leaves an odd number of times."""
    rows, columns = (np.mgrid[: shape[0], : shape[1]] + 0.5)[..., None]
    (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    crosses = (y0 > rows) != (y1 > rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        right = columns < (x1 - x0) * (rows - y0) / (y1 - y0) + x0
    return (crosses & right).sum(axis=2) % 2 == 1


@QUICK
@given(masks)
@example(RING)
@example(CORNERS)
@example(HOLE_AT_CORNER)
def test_polygons_are_exact_and_one_ring_of_them_too(object_):
    parts = polygons(object_, 0)
    assert all(part.is_valid for part in parts)
    assert sum(part.area for part in parts) == object_.sum()
    assert (drawn(shapely.union_all(parts), object_.shape) == object_).all()
    if parts:
        ring = one_ring([ring for part in parts for ring in rings(part)])
        assert (even_odd(ring, object_.shape) == object_).all()


@QUICK
@given(masks)
def test_a_box_is_the_smallest_that_holds_the_object(object_):
    found = box(object_)
    assert (found is None) == (not object_.any())
    if found:
        left, top, width, height = found
        inner = object_[top : top + height, left : left + width]
        assert inner.sum() == object_.sum()
        assert all(edge.any() for edge in (inner[0], inner[-1], inner[:, 0], inner[:, -1]))


def test_a_tolerance_leaves_points_out_and_moves_the_outline_little():
    rows, columns = np.mgrid[:90, :90]
    disc = (rows - 45) ** 2 + (columns - 40) ** 2 < 35**2
    (exact,), (rough,) = polygons(disc, 0), polygons(disc, 1.0)
    assert shapely.get_num_coordinates(rough) < shapely.get_num_coordinates(exact) / 3
    assert exact.intersection(rough).area / exact.union(rough).area > 0.95
    assert shapely.hausdorff_distance(exact, rough) <= 1.0


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


def test_webdataset_reads_the_same_files_and_records(tmp_path):
    from webdataset.compat import WebDataset

    records = make(tmp_path / "in", SHAPES)
    run(tmp_path / "in", "webdataset", tmp_path / "out")
    shard = str(tmp_path / "out/train-000000.tar")
    stream: Any = WebDataset(shard, shardshuffle=False).decode()  # iterable, which its types hide
    rows = list(stream)
    assert sorted(row["__key__"] for row in rows) == ["0", "1", "2", "3", "4"]
    for row in rows:
        record = records[int(row["__key__"])]
        assert row["cls"] == record.label
        assert Record(**row["json"]) == record
        with tarfile.open(shard) as tar:
            image, mask = (tar.extractfile(row["__key__"] + end) for end in (".png", ".mask.png"))
            assert image is not None
            assert mask is not None
            assert image.read() == (tmp_path / "in" / record.file_name).read_bytes()
            assert mask.read() == (tmp_path / "in" / str(record.mask_file_name)).read_bytes()


def test_datasets_loads_the_same_pictures_and_records(tmp_path):
    from datasets import load_dataset

    records = make(tmp_path / "in", SHAPES * 2, source_image="/home/someone/photos/a.png")
    write(tmp_path / "in", [*records[:-1], records[-1].model_copy(update={"source_image": "b"})])
    run(tmp_path / "in", "huggingface", tmp_path / "out")
    loaded: Any = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded.features["label"].names == list(CLASSES)
    for row, record in zip(loaded, records, strict=True):
        assert {name: row[name] for name in ("label", "prompt", "seed", "file_name")} == {
            name: getattr(record, name) for name in ("label", "prompt", "seed", "file_name")
        }
        for column, name in (("image", record.file_name), ("mask", str(record.mask_file_name))):
            assert (np.asarray(row[column]) == pixels(tmp_path / "in" / name)).all()
    assert loaded["source_image"][0] == "a.png"


def test_the_dataset_card_says_what_the_images_are(tmp_path):
    from huggingface_hub import DatasetCard

    make(tmp_path / "in", SHAPES, class_name="a_b", label=1)
    made = {
        "versions": {"manyshot": "0.1.0"},
        "recipe": {"workflow": "/home/someone/graph.json"},
        "servers": [{"name": "http://secret:1", "models": [{"name": "sd15.safetensors"}]}],
    }
    (tmp_path / "in/manyshot.json").write_text(json.dumps(made), encoding="utf-8")
    run(tmp_path / "in", "huggingface", tmp_path / "out")
    card = DatasetCard.load(tmp_path / "out/README.md")
    header = card.data.to_dict()
    assert header["license"] == "unknown"
    assert header["configs"][0]["data_files"][0]["path"] == "data/train-*.parquet"
    for words in ("synthetic", r"| 1 | a\_b | 5 |", "graph.json", "sd15.safetensors", "0.1.0"):
        assert words in card.text
    assert "someone" not in card.content
    assert "secret" not in card.content


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


def test_equal_names_in_two_classes_stay_apart(tmp_path):
    records = make(tmp_path, SHAPES[:2])
    (tmp_path / records[1].file_name).rename(tmp_path / "images/dog/0.png")
    other = records[1].model_copy(update={"file_name": "images/dog/0.png"})
    write(tmp_path, [records[0], other])
    with TemporaryDirectory() as out:
        run(tmp_path, "yolo", Path(out))
        assert {"labels/train/0.txt", "labels/train/0-2.txt"} <= files(Path(out)).keys()


@QUICK
@given(st.integers(2, 30), st.floats(0.1, 0.6), st.integers())
def test_validation_is_a_share_of_each_class_by_seed_alone(count, share, seed):
    records = [
        Record(file_name=f"{name}/{n}", class_name=name, label=label)
        for label, name in enumerate(CLASSES)
        for n in range(count)
    ]
    if not 0 < round(share * count) < count:
        return
    found = validation_names(records, share, seed)
    assert found == validation_names(records[::-1], share, seed)
    for name in CLASSES:
        assert sum(file.startswith(name) for file in found) == round(share * count)


def test_images_of_one_source_stay_together():
    records = [
        Record(file_name=str(n), class_name="cat", label=0, source_image=f"{n // 4}.png")
        for n in range(40)
    ]
    found = validation_names(records, 0.25, 0)
    assert len(found) == 8  # 10 have room, groups have 4
    assert len({int(name) // 4 for name in found}) == 2
    assert len({validation_names(records, 0.25, seed) for seed in range(9)}) > 1


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
        ("json", "metadata.jsonl cannot be read: Invalid JSON"),
        ("field", "metadata.jsonl cannot be read: label: Field required"),
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


def test_without_masks_the_whole_image_can_be_the_box(tmp_path):
    make(tmp_path / "in", [FULL, RING], mask_file_name=None)
    run(tmp_path / "in", "yolo", tmp_path / "out", "image")
    assert (tmp_path / "out/labels/train/1.txt").read_text() == "1 0.5 0.5 1 1\n"
    for to in ("coco", "webdataset", "imagefolder", "huggingface"):
        run(tmp_path / "in", to, tmp_path / to, "image")


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


def test_soft_masks_are_cut_in_the_middle(tmp_path):
    Image.fromarray(np.array([[0, 127, 128, 255]], np.uint8)).save(tmp_path / "soft.png")
    assert read_object(tmp_path / "soft.png").tolist() == [[False, False, True, True]]


def test_the_command_says_what_it_wrote(tmp_path):
    from manyshot.cli import app
    from typer.testing import CliRunner

    make(tmp_path / "in", SHAPES)
    options = ["--to", "yolo", "--output", str(tmp_path / "out"), "--val-share", "0.5"]
    answer = CliRunner().invoke(app, ["export", str(tmp_path / "in"), *options])
    assert answer.exit_code == 0
    assert "3 + 2 images of 3 classes" in answer.output
    assert (tmp_path / "out/data.yaml").is_file()
