"""A dataset folder in memory, as the measures take it, and rows that are computed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from manyshot.core.errors import InputError
from manyshot.core.images import open_rgb
from manyshot.core.paths import inside, relative_name
from manyshot.core.pets import Entry
from manyshot.core.records import Record, read_records


@dataclass(frozen=True)
class DatasetImages:
    """The records of a dataset folder, in its order, and their images (n, height, width, 3)."""

    folder: Path
    records: tuple[Record, ...]
    images: np.ndarray

    @property
    def names(self) -> list[str]:
        """The images' file names: hashes of all that decides their pixels."""
        return [record.file_name for record in self.records]

    def swept(self, address: str) -> np.ndarray:
        """For each image the value that the recipe's sweep had at an address (n)."""
        return np.array([record.sweep[address] for record in self.records])

    def sources(self) -> np.ndarray:
        """The pictures that the images were made from, as bytes (n, height, width, 3)."""
        return np.stack([read_rgb(Path(str(record.source_image))) for record in self.records])


def sources(dataset: DatasetImages, entries: Sequence[Entry]) -> list[Entry]:
    """The entries whose images the drawn ones were made from, in their order."""
    named = {entry.name: entry for entry in entries}
    return [named[Path(str(record.source_image)).stem] for record in dataset.records]


def read_drawn(folder: Path) -> DatasetImages:
    """All images of a dataset folder, RGB bytes of one size. Raises InputError if it has none."""
    records = tuple(read_records(folder))
    if not records:
        raise InputError(f"{folder} is not a dataset folder with images.")
    return DatasetImages(folder, records, np.stack([_image(folder, record) for record in records]))


def read_rgb(path: Path) -> np.ndarray:
    """One picture as RGB bytes (height, width, 3)."""
    return np.asarray(open_rgb(path))


def _image(folder: Path, record: Record) -> np.ndarray:
    return read_rgb(inside(folder, *relative_name(record.file_name, "image").parts))
