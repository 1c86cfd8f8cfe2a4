"""Reading text in pictures: PP-OCR by rapidocr, whose weights come in its package."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from ....core.errors import InputError
from .lettering import Reader


def open_reader() -> Reader:
    """The reader of `rapidocr-onnxruntime`. Raises InputError when it is not installed."""
    if find_spec("rapidocr_onnxruntime") is None:
        raise InputError('Reading text needs another package: pip install "manyshot[ocr]".')
    from rapidocr_onnxruntime import RapidOCR

    engine: Any = RapidOCR()

    def read(picture: np.ndarray) -> list[str]:
        found, _ = engine(np.ascontiguousarray(picture[..., ::-1]))  # BGR, as OpenCV has it
        return [text for _, text, _ in found or []]

    return read
