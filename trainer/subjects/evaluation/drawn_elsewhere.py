"""Pictures that a server drew already: those of a dataset folder, by class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import InputError
from ....core.json_text import read_json
from ....core.records import MANIFEST
from ....core.subject_file import Subject, SubjectFile, parse_facts
from ...base.data import evenly
from ...images import read_rgb
from ...measure.pixels.store import sized
from ...measure.sources import read_examples
from .memory import middle

MOST_PIXELS = 512  # of a picture's side; extractors see 224


@dataclass(frozen=True)
class DatasetPictures:
    """RGB bytes (n, side, side, 3) by class; by class too the subject that they were made with, and
    its file, where the folder names one."""

    folder: Path
    images: dict[str, np.ndarray]
    learned: dict[str, tuple[SubjectFile, Subject]]

    @property
    def size(self) -> int:
        """Side of the pictures."""
        return next(iter(self.images.values())).shape[1]


def read_pictures(folder: Path, most: int) -> DatasetPictures:
    """At most `most` pictures of each class, as they were kept, all at the size of the smallest.

    Raises InputError for a folder without pictures, and for one that cannot be understood.
    """
    by_class: dict[str, list[Path]] = {}
    for example in read_examples(folder):
        by_class.setdefault(example.class_name, []).append(example.path)
    read = {
        name: [middle(read_rgb(path, MOST_PIXELS)) for path in evenly(paths, most)]
        for name, paths in by_class.items()
    }
    side = min(image.shape[0] for images in read.values() for image in images)
    images = {name: np.stack([sized(one, side) for one in own]) for name, own in read.items()}
    return DatasetPictures(folder, images, _learned(folder))


def _learned(folder: Path) -> dict[str, tuple[SubjectFile, Subject]]:
    """What the manifest says of subjects, by class; {} when it names none."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        listed: list[dict[str, Any]] = read_json(path).get("subjects") or []
        return {name: pair for one in listed for name, pair in _of_file(one).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, StopIteration) as error:
        raise InputError(f"The subjects that {path} names cannot be understood: {error}.") from None


def _of_file(values: dict[str, Any]) -> dict[str, tuple[SubjectFile, Subject]]:
    facts = parse_facts({k: v for k, v in values.items() if k not in _OWN})
    tokens: dict[str, str] = values["classes"]
    return {
        name: (facts, next(one for one in facts.subjects if one.token == token))
        for name, token in tokens.items()
    }


_OWN = ("file", "sha256", "classes")  # what a manifest says beside a file's own facts
