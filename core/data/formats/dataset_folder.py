"""A dataset folder of ours: metadata.jsonl."""

from pathlib import Path

from ...masks.set_code import set_code
from ...paths import inside
from ...records import METADATA, Record, read_records
from ..record import LabelledImage


def matches(folder: Path) -> bool:
    """Whether it has records."""
    return (folder / METADATA).is_file()


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The kept images in the order of their records."""
    records = [record for record in read_records(folder) if record.kept]
    masks = [_mask(folder, record) for record in records]
    code = set_code([mask for mask in masks if mask], folder, palette)
    return [
        LabelledImage(
            inside(folder, record.file_name), record.file_name, record.class_name, mask, code
        )
        for record, mask in zip(records, masks, strict=True)
    ]


def _mask(folder: Path, record: Record) -> Path | None:
    return inside(folder, record.mask_file_name) if record.mask_file_name else None
