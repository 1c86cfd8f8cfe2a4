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


class Shapes(StrEnum):
    """What COCO and YOLO hold of an object. `image` needs no masks: the box is the whole image."""

    POLYGONS = "polygons"
    BOXES = "boxes"
    IMAGE = "image"


@dataclass(frozen=True)
class Drawing:
    """How objects are described. `tolerance` is in pixels."""

    shapes: Shapes = Shapes.POLYGONS
    tolerance: float = 0.0
