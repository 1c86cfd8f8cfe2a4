"""A picture of pairs of images and the distances between them, for a person to judge."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..core.files import write_atomic
from .near_copies import Neighbours

GAP, TEXT = 8, 14  # pixels between pairs, and for a line of text


def write_nearest_pairs(
    path: Path,
    images: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    neighbours: Neighbours,
    count: int = 20,
    columns: int = 4,
) -> None:
    """A PNG of the `count` nearest pairs, generated | real, nearest first, distances beneath.

    All are RGB bytes (height, width, 3) of one size.
    """
    distances: list[float] = neighbours.distance.tolist()
    indices: list[int] = neighbours.index.tolist()
    order = sorted(range(len(images)), key=lambda i: distances[i])[:count]
    pairs = [_pair(images[i], references[indices[i]], distances[i]) for i in order]
    width, height = pairs[0].width + GAP, pairs[0].height + GAP
    rows = -(-len(pairs) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), "white")
    for number, pair in enumerate(pairs):
        sheet.paste(pair, (GAP + number % columns * width, GAP + number // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, "png")
    write_atomic(path, stream.getvalue())


def _pair(image: np.ndarray, reference: np.ndarray, distance: float) -> Image.Image:
    shown = Image.fromarray(np.concatenate([image, reference], axis=1))
    pair = Image.new("RGB", (shown.width, shown.height + TEXT), "white")
    pair.paste(shown)
    ImageDraw.Draw(pair).text((2, shown.height + 1), f"{distance:.3f}", "black")
    return pair
