"""YOLO: images/<split>/<name>.jpg, labels/<split>/<name>.txt and data.yaml with the class names;
or <split>/images and <split>/labels, as Roboflow exports them.

A line is `category x y width height` (a box) or `category x1 y1 x2 y2 …` (a polygon), in shares of
the image's width and height: https://docs.ultralytics.com/datasets/segment/.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...class_folders import SPLIT_NAMES
from ...classes import check_apart, normalise_class
from ...errors import InputError, read_each
from ...image_files import visible_folders
from ...images import image_size
from ...masks.partners import ALL, IMAGES
from ...paths import inside
from ...text_file import read_text_file
from ...yaml_file import read_yaml
from ..record import LabelledImage
from .outlines import check_labels, outlined

LABELS, NAMES = "labels", ("data.yaml", "dataset.yaml")
BOX = 4  # numbers of a box


def matches(folder: Path) -> bool:
    """Whether it has images/ and, in labels/, text files, or folders of splits have."""
    return any(any(labels.rglob("*.txt")) for _, labels in _folder_pairs(folder))


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The images by name; those with polygons alone have masks, those with boxes have none.

    Raises InputError, naming the line: no class names, an unknown category, numbers that are no
    shares, an image without labels.
    """
    if not matches(folder):
        raise InputError(f"{folder} is not laid out as YOLO: it needs {IMAGES}/ and {LABELS}/.")
    names = _class_names(folder)
    files = [file for places in _folder_pairs(folder) for file in check_labels(*places, ".txt")]
    return read_each(lambda pair: _labelled(folder, *pair, names), files)


def _folder_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """images/ with its labels/: of the whole folder, else of each split."""
    splits = [inner for inner in visible_folders(folder) if inner.name.lower() in SPLIT_NAMES]
    places = [folder] if (folder / IMAGES).is_dir() else splits
    pairs = [(place / IMAGES, place / LABELS) for place in places]
    return [pair for pair in pairs if all(map(Path.is_dir, pair))]


def _class_names(folder: Path) -> dict[int, str]:
    file = next((file for file in (inside(folder, name) for name in NAMES) if file.is_file()), None)
    if file is None:
        raise InputError(f"{folder} has no {NAMES[0]} with the class names ('names').")
    data, _ = read_yaml(file)
    names: Any = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not all(
        isinstance(key, int) and isinstance(name, str) for key, name in names.items()
    ):
        raise InputError(f"{file} has no class names: 'names' is a list, or a number with each.")
    check_apart(names.values())
    return {number: normalise_class(name) for number, name in names.items()}


def _labelled(folder: Path, image: Path, label: Path, names: dict[int, str]) -> LabelledImage:
    relative = _without_images(image.relative_to(folder))
    lines = [line.split() for line in read_text_file(label, "label file").splitlines()]
    rows = [
        (_class(line, names, where), _numbers(line, where))
        for number, line in enumerate(lines, 1)
        if line
        for where in [f"{label}, line {number}"]
    ]
    size = image_size(image)
    outlines = [
        (name, np.reshape(numbers, (-1, 2)) * size) for name, numbers in rows if len(numbers) != BOX
    ]
    masked = bool(outlines) and len(outlines) == len(rows)
    return LabelledImage(
        image,
        relative.as_posix(),
        ALL,
        outlined(relative.as_posix(), size, outlines) if masked else None,
        coco_classes=tuple(names.values()) if masked else (),
        annotated=tuple(dict.fromkeys(name for name, _ in rows)),
        split=SPLIT_NAMES.get(relative.parts[0].lower()) if len(relative.parts) > 1 else None,
    )


def _without_images(path: Path) -> Path:
    """train/a.jpg, of images/train/a.jpg as of train/images/a.jpg."""
    place = path.parts.index(IMAGES)
    return Path(*path.parts[:place], *path.parts[place + 1 :])


def _class(line: Sequence[str], names: dict[int, str], where: str) -> str:
    number = int(line[0]) if re.fullmatch("[0-9]{1,6}", line[0]) else -1
    if number not in names:
        raise InputError(
            f"{where} has an unknown category {line[0][:20]!r}. data.yaml has "
            f"{', '.join(map(str, sorted(names)))}."
        )
    return names[number]


def _numbers(line: Sequence[str], where: str) -> list[float]:
    try:
        numbers = [float(text) for text in line[1:]]
    except ValueError:
        numbers = []
    count = len(numbers)
    if (count != BOX and (count < 6 or count % 2)) or not all(0 <= n <= 1 for n in numbers):
        raise InputError(
            f"{where} is neither a box (category x y width height) nor a polygon (category x1 y1 "
            "x2 y2 x3 y3 …) with shares from 0 to 1."
        )
    return numbers
