"""The HTML of results in a notebook. All text is escaped: it may come from strangers' files."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from ..core.images import open_rgb

SHEET_SIDE = 900  # pixels of a contact sheet's longer side in a notebook


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def headline(text: str) -> str:
    """The same in bold."""
    return f"<p><strong>{escape(text)}</strong></p>"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose cells are plain text, on the left."""
    lines = [_line("th", header), *(_line("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def picture(path: Path) -> str:
    """A picture as a part of the page itself, SHEET_SIDE pixels at most."""
    image = open_rgb(path)
    image.thumbnail((SHEET_SIDE, SHEET_SIDE))
    file = BytesIO()
    image.save(file, "JPEG", quality=85)
    content = b64encode(file.getvalue()).decode()
    return f'<img alt="{escape(path.stem)}" src="data:image/jpeg;base64,{content}">'


def _line(tag: str, cells: Sequence[object]) -> str:
    style = ' style="text-align: left"'
    inside = "".join(f"<{tag}{style}>{escape(str(cell))}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"
