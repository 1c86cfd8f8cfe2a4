"""Contact sheets for the docs: a row of pictures for each class, or for each control image."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..core.files import write_atomic

GAP, MARGIN, NAME_WIDTH = 4, 8, 180
INK, PAPER = (40, 40, 40), (255, 255, 255)
MAX_BYTES = 1_500_000
QUALITIES = (88, 80, 70, 60, 50)


class Row(NamedTuple):
    """What a row is called, and its pictures (height, width, 3) from left to right."""

    name: str
    images: Sequence[np.ndarray]


def write_sheet(path: Path, rows: Sequence[Row], columns: int = 1) -> None:
    """A JPEG of at most MAX_BYTES with the rows in so many columns, all pictures of one size."""
    tile = rows[0].images[0].shape[0] + GAP
    width = NAME_WIDTH + max(len(row.images) for row in rows) * tile
    height = -(-len(rows) // columns)
    size = (columns * (width + MARGIN) + MARGIN, height * tile + 2 * MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    for number, row in enumerate(rows):
        column, line = divmod(number, height)
        _draw(sheet, MARGIN + column * (width + MARGIN), MARGIN + line * tile, row)
    write_atomic(path, _jpeg(sheet))


def _draw(sheet: Image.Image, left: int, top: int, row: Row) -> None:
    tile = row.images[0].shape[0] + GAP
    place = (left, top + tile // 2 - 9)
    ImageDraw.Draw(sheet).text(place, row.name, INK, ImageFont.load_default(14))
    for number, image in enumerate(row.images):
        sheet.paste(Image.fromarray(image), (left + NAME_WIDTH + number * tile, top))


def _jpeg(sheet: Image.Image) -> bytes:
    """The best quality that fits, else the least."""
    data = b""
    for quality in QUALITIES:
        stream = BytesIO()
        sheet.save(stream, "jpeg", quality=quality, optimize=True)
        data = stream.getvalue()
        if len(data) <= MAX_BYTES:
            break
    return data
