"""Subjects with a word in them, such as logos: whether the word can be read, and the logo found.

The slides' score of a logo is the mean of a detector's confidence and of an OCR score. Theirs was
1 for a word that was read, and less for one that was nearly read; ours is 1 - character error rate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torchmetrics.functional.text import char_error_rate

Reader = Callable[[np.ndarray], list[str]]
"""The lines of text in an RGB byte image, as an OCR reads them."""
Detector = Callable[[Sequence[np.ndarray]], np.ndarray]
"""For each RGB byte image how surely the logo is in it (n), 0 to 1."""


@dataclass(frozen=True)
class Lettering:
    """Means over pictures, 0 to 1. `score`: of `ocr` and `detector`, or `ocr` without a detector.

    `read`: the share of the pictures whose word is read without an error.
    """

    word: str
    ocr: float
    read: float
    detector: float | None
    score: float


def lettering(
    pictures: Sequence[np.ndarray], word: str, reader: Reader, detector: Detector | None = None
) -> Lettering:
    """How well `word` stands in RGB byte pictures."""
    scores = np.array([word_score(reader(picture), word) for picture in pictures])
    ocr, read = float(scores.mean()), float((scores == 1).mean())
    if detector is None:
        return Lettering(word, ocr, read, None, ocr)
    sure = float(np.mean(detector(pictures)))
    return Lettering(word, ocr, read, sure, (ocr + sure) / 2)


def word_score(lines: Sequence[str], word: str) -> float:
    """1 - the character error rate of what was read, from 0 to 1; 0 when nothing was read.

    Other text may stand in a picture: of all lines, of their words and of the whole, the one that
    is nearest to `word` counts. Capitals and small letters are the same.
    """
    wanted = _plain(word)
    said = [_plain(line) for line in lines]
    parts = {*said, *(part for line in said for part in line.split()), " ".join(said)}
    rates = [float(char_error_rate([part], [wanted])) for part in parts if part]
    return max(0.0, 1 - min(rates, default=1.0))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
