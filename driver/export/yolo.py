"""YOLO: images/<split>/<key>.png, labels/<split>/<key>.txt and data.yaml.

A line is `category x y width height` (the box's middle and size), or `category x1 y1 x2 y2 …` for
polygons, in shares of the image's width and height:
https://docs.ultralytics.com/datasets/segment/. A line holds one ring, so parts and holes are joined
by bridges of no width. An image without an object has an empty file.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from ...core.errors import InputError
from .export_material import Material, Sample, Step
from .options import Drawing, Shapes
from .outline import box, is_noise, one_ring, polygons, rings
from .shapes import Shown, category_names, check_masks, collect_objects
from .split import TRAIN, VAL


def write_yolo(material: Material, folder: Path, drawing: Drawing, step: Step) -> None:
    """Write images and labels. Raises InputError when masks are missing or of another kind."""
    check_masks(material.samples, drawing)
    names = category_names(material, drawing)
    for kind in ("images", "labels"):
        for split in material.splits:
            (folder / kind / split).mkdir(parents=True)
    for done, sample in enumerate(material.samples, 1):
        shutil.copyfile(sample.image, folder / "images" / sample.split / sample.image_file)
        label = folder / "labels" / sample.split / f"{sample.key}.txt"
        label.write_text(_lines(sample, material, names, drawing), encoding="ascii")
        step("writing", done, len(material.samples))
    (folder / "data.yaml").write_text(_data(material, names), encoding="utf-8")


def _data(material: Material, names: Sequence[str]) -> str:
    """Without `path`, the folders are beside this file. YOLO wants a val: without one, train."""
    val = VAL if VAL in material.splits else TRAIN
    data = {
        "train": f"images/{TRAIN}",
        "val": f"images/{val}",
        "names": dict(enumerate(names)),
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _lines(sample: Sample, material: Material, names: Sequence[str], drawing: Drawing) -> str:
    return "".join(
        _line(sample, item, drawing) for item in collect_objects(sample, material, names, drawing)
    )


def _line(sample: Sample, item: Shown, drawing: Drawing) -> str:
    bounds = box(item.pixels)
    if bounds is None:
        return ""
    left, top, width, height = bounds
    points = np.array([[left + width / 2, top + height / 2], [width, height]])
    if drawing.shapes == Shapes.POLYGONS:
        points = _ring(sample, item.pixels, drawing.tolerance)
    shares = (points / sample.size).ravel()
    return " ".join([str(item.category), *(f"{share:.9g}" for share in shares)]) + "\n"


def _ring(sample: Sample, object_: np.ndarray, tolerance: float) -> np.ndarray:
    if is_noise(object_):
        raise InputError(
            f"The mask {sample.mask} is in thousands of pieces, too many for polygons. Use "
            "'--shapes boxes', or leave the image out."
        )
    parts = polygons(object_, tolerance)
    return one_ring([ring for polygon in parts for ring in rings(polygon)])
