"""What can be asked of an export. Light: the command line reads it for --help."""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """What a dataset folder can become."""

    COCO = "coco"
    YOLO = "yolo"
    WEBDATASET = "webdataset"
    IMAGEFOLDER = "imagefolder"
    HUGGINGFACE = "huggingface"
    KOHYA = "kohya"
    VOC = "voc"


class Shapes(StrEnum):
    """What COCO, YOLO and VOC hold of an object. `image` needs no masks: its box is all of it."""

    POLYGONS = "polygons"
    BOXES = "boxes"
    IMAGE = "image"


@dataclass(frozen=True)
class Drawing:
    """How objects are described. `tolerance` is in pixels. `instances`: each connected part of a
    mask is an object of its own, rather than all that is of one class."""

    shapes: Shapes = Shapes.POLYGONS
    tolerance: float = 0.0
    instances: bool = False
