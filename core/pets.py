"""Oxford-IIIT Pet as torchvision lays it out: its lists, and where images and trimaps lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import InputError

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
        return " ".join(part.title() for part in self.name.rsplit("_", 1)[0].split("_"))


def parse_list(text: str) -> list[Entry]:
    """The lines "name class species breed" of a list; classes count from 1, species 1 is cat."""
    rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    return [Entry(name, int(label) - 1, _SPECIES[species]) for name, label, species, _ in rows]


_SPECIES: dict[str, Species] = {"1": "cat", "2": "dog"}


def read_split(root: Path, part: Literal["trainval", "test"] = "trainval") -> list[Entry]:
    """The entries of one official part. Raises InputError when the data set is not in `root`."""
    path = root / FOLDER / "annotations" / f"{part}.txt"
    if not path.is_file():
        raise InputError(
            f"{path} is missing: give the folder that holds {FOLDER}/, "
            f"or download it with torchvision.datasets.OxfordIIITPet(root, download=True)."
        )
    return parse_list(path.read_text(encoding="utf-8"))
