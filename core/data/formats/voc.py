"""Pascal VOC: JPEGImages/<name>.jpg, Annotations/<name>.xml, and masks in SegmentationClass/.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/index.html, section 4. Lists of splits are
ImageSets/Main/{train,val,test}.txt.
"""

from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from ...class_folders import Split
from ...classes import normalise_class
from ...errors import InputError, read_each
from ...files import MOST_BYTES, open_regular
from ...masks.partners import ALL
from ...masks.set_code import set_code
from ...paths import inside
from ...text_file import read_text_file
from ..record import LabelledImage
from .outlines import check_labels

IMAGES, ANNOTATIONS, MASKS, LISTS = "JPEGImages", "Annotations", "SegmentationClass", "ImageSets"
SPLITS: tuple[Literal["train", "val", "test"], ...] = ("train", "val", "test")


class _Builder(TreeBuilder):
    """Refuses a document type before any of its entities is declared: none can be expanded."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("it declares a document type, which is not allowed")


def matches(folder: Path) -> bool:
    """Whether it has JPEGImages/ and Annotations/."""
    return (folder / IMAGES).is_dir() and (folder / ANNOTATIONS).is_dir()


def read(folder: Path, palette: Path | None) -> list[LabelledImage]:
    """The images by name; masks where each image has one.

    Raises InputError, naming the file: unreadable XML, an object without a name, an image without
    annotations, an image in two splits.
    """
    if not matches(folder):
        raise InputError(f"{folder} is not Pascal VOC: it needs {IMAGES}/ and {ANNOTATIONS}/.")
    files = check_labels(folder / IMAGES, folder / ANNOTATIONS, ".xml")
    masks = [inside(folder, MASKS, f"{image.stem}.png") for image, _ in files]
    masked = bool(masks) and all(mask.is_file() for mask in masks)
    code = set_code(masks, folder, palette) if masked else None
    splits = _splits(folder)
    classes = read_each(lambda pair: _classes(pair[1]), files)
    return [
        LabelledImage(
            image,
            image.relative_to(folder / IMAGES).as_posix(),
            ALL,
            mask if masked else None,
            code,
            annotated=names,
            split=splits.get(image.stem),
        )
        for (image, _), mask, names in zip(files, masks, classes, strict=True)
    ]


def _classes(file: Path) -> tuple[str, ...]:
    names = [(item.findtext("name") or "").strip() for item in _parse(file).findall("object")]
    if "" in names:
        raise InputError(f"{file}: object {names.index('') + 1} has no name.")
    return tuple(dict.fromkeys(map(normalise_class, names)))


def _parse(file: Path) -> Element:
    parser = XMLParser(target=_Builder())
    try:
        with open_regular(file) as opened:
            parser.feed(opened.read(MOST_BYTES))
        root = parser.close()
    except (OSError, ParseError, ValueError) as error:
        raise InputError(f"The annotations {file} cannot be read ({error}).") from None
    if root.tag != "annotation":
        raise InputError(f"{file} is not an annotation of Pascal VOC: it holds <{root.tag}>.")
    return root


def _splits(folder: Path) -> dict[str, Split]:
    """The split of each image that a list names."""
    splits: dict[str, Split] = {}
    for split in SPLITS:
        file = folder / LISTS / "Main" / f"{split}.txt"
        for name in read_text_file(file, "list").split() if file.is_file() else ():
            if splits.setdefault(name, split) != split:
                raise InputError(
                    f"{file} lists {name}, which is in the split {splits[name]} too. Keep it in "
                    "one of them."
                )
    return splits
