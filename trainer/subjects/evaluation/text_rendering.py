"""Text rendering of subjects that show a word, such as logos: can OCR read it, is the logo found?

The logo score is the mean of a detector's confidence and an OCR score, which is
1 - character error rate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torchmetrics.functional.text import char_error_rate

Reader = Callable[[np.ndarray], list[str]]
"""The lines of text in an RGB byte image, as an OCR reads them."""
Detector = Callable[[Sequence[np.ndarray]], np.ndarray]
"""The confidence (n), 0 to 1, that the logo is in each RGB byte image."""


@dataclass(frozen=True)
class TextRendering:
    """Means over pictures, 0 to 1. `score`: the mean of `ocr` and `detector`, or `ocr` alone.

    `read`: the share of pictures whose word is read without an error.
    """

    word: str
    ocr: float
    read: float
    detector: float | None
    score: float


def measure_text_rendering(
    pictures: Sequence[np.ndarray], word: str, reader: Reader, detector: Detector | None = None
) -> TextRendering:
    """Score how legibly `word` appears in RGB byte pictures."""
    scores = np.array([word_score(reader(picture), word) for picture in pictures])
    ocr, read = float(scores.mean()), float((scores == 1).mean())
    if detector is None:
        return TextRendering(word, ocr, read, None, ocr)
    sure = float(np.mean(detector(pictures)))
    return TextRendering(word, ocr, read, sure, (ocr + sure) / 2)


def word_score(lines: Sequence[str], word: str) -> float:
    """1 - character error rate, clipped to 0 to 1; 0 when nothing was read.

    A picture may contain other text, so the best match among lines, single words and the whole
    text counts. Case is ignored.
    """
    target = _plain(word)
    readings = [_plain(line) for line in lines]
    candidates = {
        *readings,
        *(candidate for line in readings for candidate in line.split()),
        " ".join(readings),
    }
    rates = [float(char_error_rate([candidate], [target])) for candidate in candidates if candidate]
    return max(0.0, 1 - min(rates, default=1.0))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
