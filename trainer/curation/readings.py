"""What was read of pairs, generated and real."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Judged:
    """Of n pairs `agreement` (n), `by_class` (n, classes), nan for classes that a mask does not
    show, and `noise` (n, side, bytes), the pixels that are noise, packed along each row."""

    classes: tuple[str, ...]
    agreement: np.ndarray
    by_class: np.ndarray
    noise: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Judged"]) -> "Judged":
        """The pairs of all parts."""
        every = zip(*((p.agreement, p.by_class, p.noise) for p in parts), strict=True)
        return cls(parts[0].classes, *(np.concatenate(arrays) for arrays in every))

    def scores(self, place: int) -> dict[str, float]:
        """As a record keeps them, to three places: agreement, and that of each class shown."""
        named = zip(self.classes, self.by_class[place].tolist(), strict=True)
        shares = {f"agreement of {name}": share for name, share in named if not np.isnan(share)}
        return {k: round(v, 3) for k, v in {"agreement": self.agreement[place], **shares}.items()}


@dataclass(frozen=True)
class Yardstick:
    """What the same segmenter reads in real pairs that it has not learned from: `counts`
    (n, classes, columns), and from them as in `Judged`. `how`: which pairs these are."""

    how: str
    class_names: tuple[str, ...]
    counts: np.ndarray
    agreement: np.ndarray
    by_class: np.ndarray


def unpacked(noise: np.ndarray) -> np.ndarray:
    """`noise` of one pair as bool pixels (side, side)."""
    return np.unpackbits(noise, axis=1, count=len(noise)).astype(bool)
