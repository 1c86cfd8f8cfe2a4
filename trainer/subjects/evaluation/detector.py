"""A logo's detector as a plugin: an ONNX file in the layout that YOLOv8 and YOLO11 export."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from ....core.errors import InputError
from .lettering import Detector

SIDE, GREY = 640, (114, 114, 114)  # YOLO's default size, and the colour of its margins


def open_detector(path: Path) -> Detector:
    """What gives the confidence of each picture's surest box, of any class.

    The file takes pixels (1, 3, side, side) from 0 to 1 and gives (1, 4 + classes, boxes). Raises
    InputError for a file that cannot be opened or is of another layout.
    """
    try:
        session = onnxruntime.InferenceSession(path)
    except Exception as error:  # onnxruntime's errors share no base of their own
        raise InputError(f"The detector {path} cannot be opened: {error}") from None
    taken, given = session.get_inputs()[0], session.get_outputs()[0]
    if len(taken.shape) != 4 or len(given.shape) != 3:
        raise InputError(
            f"The detector {path} takes {taken.shape} and gives {given.shape}; wanted are "
            "(1, 3, side, side) and (1, 4 + classes, boxes), as YOLOv8 exports them."
        )
    side = taken.shape[-1] if isinstance(taken.shape[-1], int) else SIDE

    def confidences(pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.array(
            [
                np.asarray(session.run([given.name], {taken.name: _pixels(one, side)})[0])[0, 4:]
                .max(initial=0.0)
                .clip(0, 1)
                for one in pictures
            ]
        )

    return confidences


def _pixels(picture: np.ndarray, side: int) -> np.ndarray:
    """(1, 3, side, side) from 0 to 1: the whole picture, with margins where it is not square."""
    boxed = ImageOps.pad(Image.fromarray(picture), (side, side), color=GREY)
    return np.asarray(boxed, np.float32).transpose(2, 0, 1)[None] / 255
