"""Reading text in pictures: PP-OCR by rapidocr, whose weights come in its package."""

from typing import Any

import numpy as np

from ....core.errors import InputError
from ....core.extras import Extra, missing_packages
from .lettering import Reader


def open_reader() -> Reader:
    """The reader of `rapidocr-onnxruntime`. Raises InputError when it is missing or does not load,
    as OpenCV does not without the system's graphics libraries."""
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ModuleNotFoundError:
        raise missing_packages(
            "Reading text", ["rapidocr-onnxruntime (not installed)"], Extra.OCR
        ) from None
    except ImportError as error:
        raise InputError(
            f"The package that reads text cannot be loaded ({error}). Where libGL is missing, "
            "opencv-python-headless in place of opencv-python does without it."
        ) from None

    engine: Any = RapidOCR()

    def read(picture: np.ndarray) -> list[str]:
        found, _ = engine(np.ascontiguousarray(picture[..., ::-1]))  # BGR, as OpenCV has it
        return [text for _, text, _ in found or []]

    return read
