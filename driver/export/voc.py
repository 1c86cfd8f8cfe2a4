"""Pascal VOC: JPEGImages/<key>.png, Annotations/<key>.xml, SegmentationClass/<key>.png and lists.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/index.html, section 4. Boxes count pixels
from 1 and include both ends. Masks hold 0 for the background, places of categories + 1, and 255
where nothing is said.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np

from ...core.errors import InputError
from ...core.masks.label_mask import BACKGROUND_NAME, LabelMask
from ...core.masks.labelled_png import encode_png
from .export_material import Material, Sample, Step
from .options import Drawing, Shapes
from .outline import box
from .shapes import Shown, category_names, check_masks, collect_objects

IGNORED = 255
IMAGES, ANNOTATIONS, MASKS, LISTS = "JPEGImages", "Annotations", "SegmentationClass", "ImageSets"


def write_voc(material: Material, folder: Path, drawing: Drawing, step: Step) -> None:
    """Write images, annotations, the lists of splits and, unless boxes are asked for, masks.

    Raises InputError when masks are missing or of another kind, or have over 254 categories.
    """
    check_masks(material.samples, drawing)
    names = category_names(material, drawing)
    masked = drawing.shapes == Shapes.POLYGONS
    if masked and len(names) >= IGNORED:
        raise InputError(
            f"Masks of Pascal VOC hold {IGNORED - 1} categories; these have {len(names)}. Use "
            "'--shapes boxes', or another format."
        )
    for subfolder in (IMAGES, ANNOTATIONS, f"{LISTS}/Main", *([MASKS] if masked else [])):
        (folder / subfolder).mkdir(parents=True)
    for done, sample in enumerate(material.samples, 1):
        shutil.copyfile(sample.image, folder / IMAGES / sample.image_file)
        shown = list(collect_objects(sample, material, names, drawing))
        tree = _annotation(sample, names, shown, masked)
        file = folder / ANNOTATIONS / f"{sample.key}.xml"
        ElementTree(tree).write(file, encoding="utf-8")
        if masked:
            data = encode_png(_mask(sample, material, names, shown))
            (folder / MASKS / f"{sample.key}.png").write_bytes(data)
        step("writing", done, len(material.samples))
    for split, samples in material.splits.items():
        text = "".join(f"{sample.key}\n" for sample in samples)
        (folder / LISTS / "Main" / f"{split}.txt").write_text(text, encoding="utf-8")


def _annotation(
    sample: Sample, names: Sequence[str], shown: Sequence[Shown], masked: bool
) -> Element:
    root = Element("annotation")
    _add(root, folder=IMAGES, filename=sample.image_file)
    width, height = sample.size
    _add(SubElement(root, "size"), width=width, height=height, depth=3)
    _add(root, segmented=int(masked))
    for item in shown:
        if (bounds := box(item.pixels)) is None:
            continue
        left, top, wide, tall = map(int, bounds)
        entry = SubElement(root, "object")
        _add(entry, name=names[item.category], pose="Unspecified", truncated=0, difficult=0)
        corners = SubElement(entry, "bndbox")
        _add(corners, xmin=left + 1, ymin=top + 1, xmax=left + wide, ymax=top + tall)
    indent(root)
    return root


def _add(parent: Element, **texts: object) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = str(text)


def _mask(
    sample: Sample, material: Material, names: Sequence[str], shown: Sequence[Shown]
) -> LabelMask:
    assert sample.mask is not None  # check_masks has seen to it
    labels = np.zeros(sample.size[::-1], np.uint8)
    for item in shown:
        labels[item.pixels] = item.category + 1
    labels[material.masks.label_mask(sample.mask).labels == IGNORED] = IGNORED
    return LabelMask(labels, (BACKGROUND_NAME, *names))
