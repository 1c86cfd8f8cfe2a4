"""Pictures of a dataset folder, by class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import InputError
from ....core.json_text import read_json
from ....core.records import MANIFEST
from ....core.subject_file import Subject, SubjectFile, parse_facts
from ....core.subsets import evenly
from ...images import read_rgb
from ...measure.pixels.pixel_cache import resize_square
from ...measure.sources import read_examples
from .memorisation import crop_centre

MOST_PIXELS = 512  # of a picture's side; extractors take 224


@dataclass(frozen=True)
class DatasetPictures:
    """RGB bytes (n, side, side, 3) by class, and by class the subject they were drawn with and its
    file, where the folder names one."""

    folder: Path
    images: dict[str, np.ndarray]
    trained: dict[str, tuple[SubjectFile, Subject]]

    @property
    def size(self) -> int:
        """Side of the pictures."""
        return next(iter(self.images.values())).shape[1]


def read_pictures(folder: Path, most: int) -> DatasetPictures:
    """At most `most` of the kept pictures of each class, resized to the smallest of them.

    Raises InputError for a folder without pictures or with a malformed manifest.
    """
    by_class: dict[str, list[Path]] = {}
    for example in read_examples(folder):
        by_class.setdefault(example.class_name, []).append(example.path)
    squares = {
        name: [crop_centre(read_rgb(path, MOST_PIXELS)) for path in evenly(paths, most)]
        for name, paths in by_class.items()
    }
    side = min(image.shape[0] for images in squares.values() for image in images)
    images = {
        name: np.stack([resize_square(image, side) for image in square_images])
        for name, square_images in squares.items()
    }
    return DatasetPictures(folder, images, _read_subjects(folder))


def _read_subjects(folder: Path) -> dict[str, tuple[SubjectFile, Subject]]:
    """The subjects that the manifest names, by class; {} when it names none."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        listed: list[dict[str, Any]] = read_json(path).get("subjects") or []
        return {
            name: pair for values in listed for name, pair in _subjects_by_class(values).items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, StopIteration) as error:
        raise InputError(f"The subjects in {path} are malformed: {error}.") from None


def _subjects_by_class(values: dict[str, Any]) -> dict[str, tuple[SubjectFile, Subject]]:
    facts = parse_facts({k: v for k, v in values.items() if k not in _FILE_KEYS})
    tokens: dict[str, str] = values["classes"]
    return {
        name: (facts, next(subject for subject in facts.subjects if subject.token == token))
        for name, token in tokens.items()
    }


_FILE_KEYS = ("file", "sha256", "classes")  # what a manifest adds to a file's own header
