"""WebDataset and Hugging Face, read back by their own libraries."""

import json
import tarfile
from typing import Any

import numpy as np
from manyshot.core.records import Record

from ..support.export_folders import (
    CLASSES,
    RING,
    SHAPES,
    label_mask,
    make,
    make_labelled,
    pixels,
    run,
    write,
)


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


def test_datasets_loads_label_masks_by_index_and_the_card_names_them(tmp_path):
    from datasets import load_dataset

    mask = label_mask(RING, ~RING & np.eye(7, dtype=bool))
    make_labelled(tmp_path / "in", [mask])
    run(tmp_path / "in", "huggingface", tmp_path / "out")
    loaded: Any = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    assert (np.asarray(loaded[0]["mask"]) == mask.labels).all()
    assert "0 background, 1 cat, 2 dog" in (tmp_path / "out/README.md").read_text("utf-8")
