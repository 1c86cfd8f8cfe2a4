"""Oxford-IIIT Pet as torchvision lays it out: the official trainval part."""

from pathlib import Path

from ...paths import inside
from ...pets import FOLDER, read_split
from ..record import LabelledImage


def matches(folder: Path) -> bool:
    """Whether torchvision put the data set there."""
    return (folder / FOLDER).is_dir()


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The images of trainval with their trimaps."""
    root = folder / FOLDER
    return [
        LabelledImage(
            inside(root, "images", f"{entry.name}.jpg"),
            entry.name,
            entry.class_name,
            inside(root, "annotations", "trimaps", f"{entry.name}.png"),
            species=entry.species,
        )
        for entry in read_split(folder)
    ]
