"""Plugins that score logos: a detector in YOLO's ONNX layout, and OCR by rapidocr (PP-OCR, whose
weights come with the package)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from ....core.errors import InputError
from ....core.extras import Extra, missing_packages
from .text_rendering import Detector, Reader

SIDE, GREY = 640, (114, 114, 114)  # YOLO's default size, and the colour of its margins


def open_detector(path: Path) -> Detector:
    """A detector that returns the confidence of each picture's best box, of any class.

    The model maps pixels (1, 3, side, side) from 0 to 1 to (1, 4 + classes, boxes), the layout that
    YOLOv8 and YOLO11 export. Raises InputError for a file that cannot be opened or has another
    layout.
    """
    try:
        session = onnxruntime.InferenceSession(path)
    except Exception as error:  # onnxruntime's errors share no base of their own
        raise InputError(f"The detector {path} cannot be opened: {error}") from None
    inputs, outputs = session.get_inputs()[0], session.get_outputs()[0]
    if len(inputs.shape) != 4 or len(outputs.shape) != 3:
        raise InputError(
            f"The detector {path} maps {inputs.shape} to {outputs.shape}; expected is "
            "(1, 3, side, side) to (1, 4 + classes, boxes), as YOLOv8 exports it."
        )
    side = inputs.shape[-1] if isinstance(inputs.shape[-1], int) else SIDE

    def confidences(pictures: Sequence[np.ndarray]) -> np.ndarray:
        return np.array(
            [
                np.asarray(session.run([outputs.name], {inputs.name: _pixels(picture, side)})[0])[
                    0, 4:
                ]
                .max(initial=0.0)
                .clip(0, 1)
                for picture in pictures
            ]
        )

    return confidences


def _pixels(picture: np.ndarray, side: int) -> np.ndarray:
    """(1, 3, side, side) from 0 to 1: the whole picture, padded to a square."""
    boxed = ImageOps.pad(Image.fromarray(picture), (side, side), color=GREY)
    return np.asarray(boxed, np.float32).transpose(2, 0, 1)[None] / 255


def open_reader() -> Reader:
    """The OCR of `rapidocr-onnxruntime`. Raises InputError when the package is missing or does not
    load, as happens to OpenCV without the system's graphics libraries."""
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ModuleNotFoundError:
        raise missing_packages(
            "Reading text", ["rapidocr-onnxruntime (not installed)"], Extra.OCR
        ) from None
    except ImportError as error:
        raise InputError(
            f"The OCR package cannot be loaded ({error}). If libGL is missing, install "
            "opencv-python-headless in place of opencv-python: it needs none."
        ) from None

    engine: Any = RapidOCR()

    def read(picture: np.ndarray) -> list[str]:
        lines, _ = engine(np.ascontiguousarray(picture[..., ::-1]))  # BGR, as OpenCV has it
        return [text for _, text, _ in lines or []]

    return read
