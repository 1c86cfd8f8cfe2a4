"""What ControlNets are shown (from test images), and whether the pictures follow it."""

from collections.abc import Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from manyshot.core.files import write_atomic
from manyshot.core.palettes import BORDER, PET, control_to_trimap, trimap_to_control
from manyshot.core.paths import inside
from manyshot.core.pets import Entry
from manyshot.core.subsets import evenly
from manyshot.core.tiny_sizes import IMAGE_SIZE
from manyshot.trainer.control_agreement import canny_edges, edge_agreement, mask_iou, mismatched
from manyshot.trainer.segmenter import Segmenter, foreground
from PIL import Image

from ..photo_data import centre_crop, read_images, read_trimaps
from .dataset_images import DatasetImages


def write_photos(folder: Path, data: Path, entries: Sequence[Entry]) -> Path:
    """`folder`/<class name>/<name>.png, 128 x 128, from the middle of each image."""
    images = [centre_crop(image, IMAGE_SIZE) for image in read_images(data, entries, IMAGE_SIZE)]
    return _write(folder, entries, images)


def write_flat_photos(folder: Path, data: Path, entries: Sequence[Entry]) -> Path:
    """The same without folders for the classes."""
    for entry, image in zip(entries, read_images(data, entries, IMAGE_SIZE), strict=True):
        _write_png(inside(folder, f"{entry.name}.png"), centre_crop(image, IMAGE_SIZE))
    return folder


def write_control_images(folder: Path, data: Path, entries: Sequence[Entry]) -> Path:
    """`folder`/<class name>/<name>.png: the same pixels' trimaps in the palette."""
    trimaps = [
        centre_crop(trimap, IMAGE_SIZE) for trimap in read_trimaps(data, entries, IMAGE_SIZE)
    ]
    pairs = zip(trimaps, entries, strict=True)
    return _write(folder, entries, [trimap_to_control(t, entry.species) for t, entry in pairs])


def some_of_each(entries: Sequence[Entry], count: int) -> list[Entry]:
    """`count` entries of each class, evenly chosen, in the order of the labels."""
    labels = sorted({entry.label for entry in entries})
    return [e for label in labels for e in evenly([e for e in entries if e.label == label], count)]


def mask_figures(dataset: DatasetImages, segmenter: Segmenter) -> dict[str, Any]:
    """The segmenter's foreground in each image against the mask it was drawn after.

    Border pixels of the masks do not count. `floor`: against other images' masks.
    """
    trimaps = np.stack([control_to_trimap(source)[0] for source in dataset.sources()])
    predicted = foreground(segmenter, list(dataset.images))
    return {"images": len(predicted), **_iou(predicted, trimaps)}


def edge_figures(dataset: DatasetImages, low: float, high: float) -> dict[str, Any]:
    """The edges of each image against those of the photo they were drawn after.

    `low` and `high` are Canny's thresholds, for both. `floor`: F1 with other photos' edges.
    """
    edges, photo_edges = (
        canny_edges(list(batch), low, high) for batch in (dataset.images, dataset.sources())
    )
    floor = edge_agreement(edges, photo_edges[mismatched(len(edges))])
    return {"images": len(edges), **asdict(edge_agreement(edges, photo_edges)), "floor": floor.f1}


def _iou(predicted: np.ndarray, trimaps: np.ndarray) -> dict[str, float]:
    mismatches = trimaps[mismatched(len(predicted))]
    return {
        "iou": float(mask_iou(predicted, trimaps == PET, trimaps != BORDER).mean()),
        "floor": float(mask_iou(predicted, mismatches == PET, mismatches != BORDER).mean()),
    }


def _write(folder: Path, entries: Sequence[Entry], images: Sequence[np.ndarray]) -> Path:
    for entry, image in zip(entries, images, strict=True):
        _write_png(inside(folder, entry.class_name, f"{entry.name}.png"), image)
    return folder


def _write_png(path: Path, image: np.ndarray) -> None:
    stream = BytesIO()
    Image.fromarray(image).save(stream, "png")
    write_atomic(path, stream.getvalue())
