"""COCO: images/<split>/<key>.png and annotations/instances_<split>.json.

https://cocodataset.org/#format-data. The ids of categories are their places + 1 (of the records'
classes: labels + 1), as many readers take 0 for the background. Areas are numbers of pixels.
Objects with holes, which polygons of COCO cannot have, are run lengths (RLE).
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from .dataset_card import SYNTHETIC, describe_origin
from .export_material import Material, Sample, Step
from .options import Drawing, Shapes
from .outline import box, is_noise, polygons, rings
from .shapes import category_names, check_masks, collect_objects


def write_coco(material: Material, folder: Path, drawing: Drawing, step: Step) -> None:
    """Write images and instances. Raises InputError when masks are missing or of another kind."""
    check_masks(material.samples, drawing)
    names = category_names(material, drawing)
    (folder / "annotations").mkdir()
    done = count(1)
    for split, samples in material.splits.items():
        images = folder / "images" / split
        images.mkdir(parents=True)
        annotations = []
        for sample in samples:
            shutil.copyfile(sample.image, images / sample.image_file)
            annotations.append(_annotations(sample, material, names, drawing))
            step("writing", next(done), len(material.samples))
        text = json.dumps(_instances(material, names, samples, annotations), ensure_ascii=False)
        (folder / "annotations" / f"instances_{split}.json").write_text(text, encoding="utf-8")


def _instances(
    material: Material,
    names: Sequence[str],
    samples: Sequence[Sample],
    annotations: Sequence[list[dict[str, Any]]],
) -> dict[str, Any]:
    return {
        "info": {"description": f"{SYNTHETIC} {describe_origin(material)}"},
        "licenses": [],
        "images": [_image(number, sample) for number, sample in enumerate(samples, 1)],
        "annotations": list(_number(annotations)),
        "categories": [
            {"id": place + 1, "name": name, "supercategory": ""} for place, name in enumerate(names)
        ],
    }


def _image(number: int, sample: Sample) -> dict[str, Any]:
    width, height = sample.size
    facts = {"id": number, "file_name": sample.image_file, "width": width, "height": height}
    return {**facts, "sweep": sample.record.sweep} if sample.record.sweep else facts


def _number(annotations: Sequence[list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Each with its id and that of its image."""
    ids = count(1)
    for image, here in enumerate(annotations, 1):
        for annotation in here:
            yield {"id": next(ids), "image_id": image, **annotation}


def _annotations(
    sample: Sample, material: Material, names: Sequence[str], drawing: Drawing
) -> list[dict[str, Any]]:
    return [
        {
            "category_id": item.category + 1,
            "bbox": list(bounds),
            "area": int(item.pixels.sum()),
            "iscrowd": 0,
            "segmentation": _segmentation(item.pixels, drawing),
        }
        for item in collect_objects(sample, material, names, drawing)
        if (bounds := box(item.pixels)) is not None
    ]


def _segmentation(object_: np.ndarray, drawing: Drawing) -> list[list[float]] | dict[str, Any]:
    if drawing.shapes != Shapes.POLYGONS:
        return []
    if is_noise(object_):
        return _run_lengths(object_)
    parts = polygons(object_, drawing.tolerance)
    if any(polygon.interiors for polygon in parts):
        return _run_lengths(object_)
    return [rings(polygon)[0].ravel().tolist() for polygon in parts]


def _run_lengths(object_: np.ndarray) -> dict[str, Any]:
    encoded: Any = coco_mask.encode(np.asfortranarray(object_.astype(np.uint8)))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode()}
