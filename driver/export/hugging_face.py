"""Hugging Face `datasets`: Parquet files with the pictures in them, and a dataset card."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Features, Value
from datasets import Image as ImageFeature

from ...core.errors import InputError
from .dataset_card import dataset_card
from .export_material import Material, Sample, Step
from .split import TRAIN, VAL
from .sweep_columns import column_types

SPLITS = {TRAIN: "train", VAL: "validation"}
FILE_ROWS = 2000
GROUP_ROWS = 100  # as `datasets` has it for pictures: what a reader takes into memory at once


def write_hugging_face(material: Material, folder: Path, step: Step) -> None:
    """Write data/<split>-<n>.parquet and README.md. `load_dataset(folder)` reads them."""
    masked = any(sample.mask for sample in material.samples)
    swept = column_types(sample.record.sweep for sample in material.samples)
    features = _features(material.names, masked, swept)
    (folder / "data").mkdir()
    done = 0
    for split, samples in material.splits.items():
        for number, rows in enumerate(_parts(samples, FILE_ROWS)):
            path = folder / "data" / f"{SPLITS[split]}-{number:05d}.parquet"
            with pq.ParquetWriter(path, features.arrow_schema) as file:
                for group in _parts(rows, GROUP_ROWS):
                    file.write_table(_table(group, material, masked, features))
                    done += len(group)
                    step("writing", done, len(material.samples))
    card = dataset_card(material, [SPLITS[split] for split in material.splits], masked, swept)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _features(names: Sequence[str], masked: bool, swept: Mapping[str, str]) -> Features:
    texts = ("file_name", "prompt", "negative", "subject", "workflow", "source_image")
    return Features(
        {
            "image": ImageFeature(),
            **({"mask": ImageFeature()} if masked else {}),
            "label": ClassLabel(names=list(names)),
            **{name: Value("string") for name in texts},
            "seed": Value("uint64"),
            **{name: Value(kind) for name, kind in swept.items()},
        }
    )


def _table(
    samples: Sequence[Sample], material: Material, masked: bool, features: Features
) -> pa.Table:
    rows = [_row(sample, material, masked, features) for sample in samples]
    try:
        return pa.Table.from_pylist(rows, features.arrow_schema)
    except (pa.ArrowException, OverflowError) as error:
        files = f"{rows[0]['file_name']} to {rows[-1]['file_name']}"
        raise InputError(f"A record of {files} does not fit the format: {error}.") from None


def _row(sample: Sample, material: Material, masked: bool, features: Features) -> dict[str, Any]:
    row: dict[str, Any] = {"image": _picture(sample.image.name, sample.image.read_bytes())}
    if masked:
        mask = sample.mask
        row["mask"] = mask and _picture(mask.name, material.masks.data(mask))
    values = sample.record.sweep
    swept = {name: _as_text(values[name], features[name].dtype) for name in values}
    return {**row, **sample.record.model_dump(), **swept}


def _as_text(value: object, kind: str) -> object:
    return str(value) if kind == "string" else value


def _picture(name: str, data: bytes) -> dict[str, Any]:
    return {"bytes": data, "path": name}


def _parts(samples: Sequence[Sample], size: int) -> list[Sequence[Sample]]:
    return [samples[start : start + size] for start in range(0, len(samples), size)]
