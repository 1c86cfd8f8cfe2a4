"""A dataset folder: its records, a table of them, and a look at its images."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.counted import pluralize
from ..core.dataset_files import METADATA
from ..core.errors import InputError
from ..core.paths import inside
from ..core.records import Record, read_records
from ..driver.contact_sheet import OVERVIEW
from .frame import make_frame
from .markup import headline, picture, table

if TYPE_CHECKING:  # pandas is optional
    from pandas import DataFrame


@dataclass(frozen=True)
class Dataset:
    """A dataset folder as it is when it is first looked at."""

    folder: Path

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """A record for each image, rejected ones too. Raises InputError for damaged ones."""
        return tuple(read_records(self.folder))

    @property
    def kept(self) -> tuple[Record, ...]:
        """The records of the images that are not rejected."""
        return tuple(record for record in self.records if record.kept)

    def __len__(self) -> int:
        """How many images are kept."""
        return len(self.kept)

    def __str__(self) -> str:
        classes = len({record.class_name for record in self.kept})
        images = pluralize(len(self), "image")
        return f"{images} of {pluralize(classes, 'class', 'classes')} in {self.folder}"

    def to_frame(self) -> "DataFrame":
        """A row for each image, rejected ones too: the fields of its record, and `path`, where its
        file is. Raises InputError where pandas is missing."""
        rows = (
            {"path": inside(self.folder, record.file_name), **record.model_dump()}
            for record in self.records
        )
        return make_frame(rows, ["path", *Record.model_fields])

    def _repr_html_(self) -> str:
        counts = Counter(record.class_name for record in self.kept)
        shown = headline(str(self)) + table(("class", "images"), counts.items())
        sheet = self.folder / OVERVIEW
        return shown + (picture(sheet) if sheet.is_file() else "")


def read_dataset(folder: str | PathLike[str]) -> Dataset:
    """The dataset folder that an earlier run made. Raises InputError if it is none."""
    place = Path(folder)
    if not (place / METADATA).is_file():
        raise InputError(
            f"{place} is not a dataset folder: it has no {METADATA}. `manyshot run` makes one."
        )
    return Dataset(place)
