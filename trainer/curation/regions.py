"""Noise of a mask as the segmenter saw it, brought to the mask's own pixels."""

from dataclasses import replace

import numpy as np
from PIL import Image

from ...core.masks.read import LabelMask


def enlarged(noise: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bool pixels (side, side) at another (height, width), by nearest neighbours."""
    height, width = size
    image = Image.fromarray(noise.astype(np.uint8))
    return np.asarray(image.resize((width, height), Image.Resampling.NEAREST)).astype(bool)


def without_noise(mask: LabelMask, noise: np.ndarray) -> LabelMask:
    """The mask with its noise (side, side) ignored; what is ignored already stays so."""
    ignored = np.where(enlarged(noise, mask.size), mask.ignored, mask.labels)
    return replace(mask, labels=ignored.astype(mask.labels.dtype))
