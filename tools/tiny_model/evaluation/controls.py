"""Segmentation and canny: whether pictures follow what their ControlNet is shown."""

from pathlib import Path
from typing import Any

import numpy as np
from manyshot.core.subsets import evenly
from manyshot.trainer.contact_sheets import Row, write_sheet
from manyshot.trainer.control_agreement import canny_edges

from ..figures import control_figures as measures
from ..figures.class_figures import agreement_figures
from ..figures.dataset_images import DatasetImages, sources
from ..pets import segmenter_iou
from . import recipes
from .stage import control_name, file_hash
from .work import Work

Figures = dict[str, Any]
SHOWN = 8  # control images on the sheet, and seeds of each


def segmentation(work: Work) -> Figures:
    """Images after the masks of test images, read by a segmenter that learned from real ones."""
    entries = measures.some_of_each(work.tools.test.entries, work.few)
    pictures = measures.write_control_images(work.inputs("masks"), work.data, entries)
    dataset = _draw(work, "segmentation", pictures)
    shown = _draw_shown(work, "segmentation", pictures)
    _write_sheet(work, "segmentation", shown, shown.sources())
    return {
        **measures.mask_figures(dataset, work.segmenter),
        "real_iou": segmenter_iou(work.segmenter, work.data, entries),
        "reconstructed_iou": _iou_of_reconstructions(work),
        **_agreement(work, dataset),
    }


def canny(work: Work) -> Figures:
    """Images after the edges of test photos."""
    entries = measures.some_of_each(work.tools.test.entries, work.few)
    photos = measures.write_photos(work.inputs("edges"), work.data, entries)
    dataset = _draw(work, "canny", photos)
    shown = _draw_shown(work, "canny", photos)
    edges = canny_edges(list(shown.sources()), *recipes.EDGES.values())
    _write_sheet(work, "canny", shown, np.repeat(edges[..., None], 3, axis=3) * np.uint8(255))
    return {**measures.edge_figures(dataset, *recipes.EDGES.values()), **_agreement(work, dataset)}


def _iou_of_reconstructions(work: Work) -> float:
    """How well the segmenter reads test images that went through the autoencoder."""
    photos = work.reconstructed
    entries = sources(photos, work.tools.test.entries)
    return segmenter_iou(work.segmenter, work.data, entries, list(photos.images))


def _draw(work: Work, kind: str, pictures: Path) -> DatasetImages:
    """An image after each picture."""
    recipe = recipes.control(kind, pictures, work.words, work.few, 1, work.guidance)
    return work.drawn(_name(work, kind), recipe)


def _draw_shown(work: Work, kind: str, pictures: Path) -> DatasetImages:
    """Some classes' first pictures, with several seeds each."""
    words = {name: work.words[name] for name in evenly(work.tools.names, SHOWN)}
    seeds = min(SHOWN, work.each)
    recipe = recipes.control(kind, pictures, words, seeds, seeds, work.guidance)
    return work.drawn(f"{_name(work, kind)}-shown", recipe)


def _name(work: Work, kind: str) -> str:
    """A folder's name, which tells ControlNets apart."""
    return f"{kind}-{file_hash(work.stage.files[control_name(kind)])[:6]}-{work.guidance:g}"


def _agreement(work: Work, dataset: DatasetImages) -> Figures:
    labels = work.tools.labels([record.class_name for record in dataset.records])
    return agreement_figures(work.tools, work.tools.features(dataset), labels)


def _write_sheet(work: Work, kind: str, dataset: DatasetImages, controls: np.ndarray) -> None:
    """A row for each control image, which stands first."""
    rows: dict[str, list[np.ndarray]] = {}
    for record, image, control in zip(dataset.records, dataset.images, controls, strict=True):
        rows.setdefault(record.class_name, [control]).append(image)
    write_sheet(work.picture(f"{kind}.jpg"), [Row(name, images) for name, images in rows.items()])
