"""Oxford-IIIT Pet as torchvision lays it out: its lists, and where images and trimaps lie."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import InputError, read_each
from .paths import safe_name
from .text_file import read_text_file

Species = Literal["cat", "dog"]
FOLDER = "oxford-iiit-pet"  # torchvision's layout: <root>/oxford-iiit-pet/{images,annotations}


@dataclass(frozen=True)
class Entry:
    """One line of a list file: the image's name without suffix, its class and its species."""

    name: str
    label: int
    species: Species

    @property
    def class_name(self) -> str:
        """As torchvision writes it: "american_bulldog_12" is of the class "American Bulldog"."""
        return " ".join(word.title() for word in self.name.rsplit("_", 1)[0].split("_"))


def parse_list(text: str, what: str = "The list") -> list[Entry]:
    """The lines "name class species breed" of a list; classes count from 1, species 1 is cat.

    `what` names the list in messages. Raises InputError, with the line, for one of another form and
    for a name that is no file name.
    """
    rows = enumerate((line.split() for line in text.splitlines()), 1)
    return read_each(
        lambda row: _entry(row[1], f"{what}, line {row[0]}"),
        [(number, row) for number, row in rows if row and not row[0].startswith("#")],
    )


def _entry(row: list[str], where: str) -> Entry:
    if len(row) != 4 or not _NUMBER.fullmatch(row[1]) or row[2] not in _SPECIES:
        raise InputError(
            f"{where} is {' '.join(row)[:60]!r}, and must be a name, a class from 1 on, a species "
            "(1 is cat, 2 is dog) and a breed, as in 'Abyssinian_100 1 1 1'."
        )
    try:
        return Entry(safe_name(row[0], "name"), int(row[1]) - 1, _SPECIES[row[2]])
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


_NUMBER = re.compile("[1-9][0-9]{0,5}")
_SPECIES: dict[str, Species] = {"1": "cat", "2": "dog"}


def read_split(root: Path, split: Literal["trainval", "test"] = "trainval") -> list[Entry]:
    """The entries of one official part. Raises InputError when the data set is not in `root`,
    and as `parse_list` does."""
    path = root / FOLDER / "annotations" / f"{split}.txt"
    if not path.is_file():
        raise InputError(
            f"{path} is missing: give the folder that holds {FOLDER}/, "
            f"or download it with torchvision.datasets.OxfordIIITPet(root, download=True)."
        )
    return parse_list(read_text_file(path, "list"), str(path))
