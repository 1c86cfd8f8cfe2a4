"""What was read of pairs, generated and real."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ...core.masks.label_mask import LabelMask


@dataclass(frozen=True)
class PairJudgements:
    """Of n pairs `agreement` (n), `by_class` (n, classes), nan for classes that a mask does not
    show, and `noise` (n, side, bytes), the pixels that are noise, packed along each row."""

    classes: tuple[str, ...]
    agreement: np.ndarray
    by_class: np.ndarray
    noise: np.ndarray

    @classmethod
    def concatenate(cls, parts: Sequence["PairJudgements"]) -> "PairJudgements":
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


def unpack_noise(noise: np.ndarray) -> np.ndarray:
    """`noise` of one pair as bool pixels (side, side)."""
    return np.unpackbits(noise, axis=1, count=len(noise)).astype(bool)


def resize_noise(noise: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bool pixels (side, side) at another (height, width), by nearest neighbours."""
    height, width = size
    image = Image.fromarray(noise.astype(np.uint8))
    return np.asarray(image.resize((width, height), Image.Resampling.NEAREST)).astype(bool)


def without_noise(mask: LabelMask, noise: np.ndarray) -> LabelMask:
    """The mask with its noise (side, side) ignored; what is ignored already stays so."""
    ignored = np.where(resize_noise(noise, mask.size), mask.ignored, mask.labels)
    return replace(mask, labels=ignored.astype(mask.labels.dtype))
