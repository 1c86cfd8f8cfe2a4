"""Pictures of the pictures: one sheet for each class, and one of all classes."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ..core.files import write_atomic
from ..core.images import open_rgb
from ..core.paths import inside

TILE, GAP, MARGIN = 128, 4, 12
COLUMNS, ROWS = 8, 4  # of a class's sheet
NAME_WIDTH = 190
INK, PAPER = (40, 40, 40), (255, 255, 255)
FOLDER, OVERVIEW = "contact_sheets", "contact_sheet.png"
MAX_OVERVIEW = 60  # classes shown on the sheet of all


def write_contact_sheets(folder: Path) -> Path | None:
    """Draw contact_sheets/<class_name>.png and contact_sheet.png; the path of the latter.

    Returns None when the dataset folder holds no image yet.
    """
    classes = {place.name: _pictures(place) for place in _class_folders(folder)}
    classes = {name: paths for name, paths in classes.items() if paths}
    if not classes:
        return None
    for name, paths in classes.items():
        target = inside(folder, FOLDER, f"{name}.png")
        _save(_class_sheet(name, paths), target)
    overview = folder / OVERVIEW
    _save(_overview(dict(list(classes.items())[:MAX_OVERVIEW])), overview)
    return overview


def _save(sheet: Image.Image, target: Path) -> None:
    """Write a sheet in the place of what is there, also of a link, whose target stays."""
    file = BytesIO()
    sheet.save(file, "PNG")
    write_atomic(target, file.getvalue())


def _class_folders(folder: Path) -> Iterator[Path]:
    images = folder / "images"
    if images.is_dir():
        yield from sorted((p for p in images.iterdir() if p.is_dir()), key=lambda p: p.name.lower())


def _pictures(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.suffix == ".png")[: COLUMNS * ROWS]


def _class_sheet(name: str, paths: list[Path]) -> Image.Image:
    rows = -(-len(paths) // COLUMNS)
    sheet = _paper(min(len(paths), COLUMNS) * (TILE + GAP), 30 + rows * (TILE + GAP))
    ImageDraw.Draw(sheet).text((MARGIN, MARGIN), name, INK, _font(18))
    for number, path in enumerate(paths):
        row, column = divmod(number, COLUMNS)
        at = (MARGIN + column * (TILE + GAP), MARGIN + 30 + row * (TILE + GAP))
        sheet.paste(_tile(path), at)
    return sheet


def _overview(classes: dict[str, list[Path]]) -> Image.Image:
    """A row for each class, its name and its first images, in as many columns as look square."""
    shown = {name: paths[:COLUMNS] for name, paths in classes.items()}
    row_width = NAME_WIDTH + max(map(len, shown.values())) * (TILE + GAP) + MARGIN
    columns = max(1, round((len(shown) * (TILE + GAP) / row_width) ** 0.5))
    rows = -(-len(shown) // columns)
    sheet = _paper(columns * row_width - MARGIN, rows * (TILE + GAP))
    for number, (name, paths) in enumerate(shown.items()):
        column, row = divmod(number, rows)
        _draw_row(sheet, (MARGIN + column * row_width, MARGIN + row * (TILE + GAP)), name, paths)
    return sheet


def _draw_row(sheet: Image.Image, at: tuple[int, int], name: str, paths: list[Path]) -> None:
    left, top = at
    ImageDraw.Draw(sheet).text((left, top + TILE // 2 - 9), _short(name), INK, _font(16))
    for column, path in enumerate(paths):
        sheet.paste(_tile(path), (left + NAME_WIDTH + column * (TILE + GAP), top))


def _paper(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width + 2 * MARGIN, height + 2 * MARGIN), PAPER)


def _tile(path: Path) -> Image.Image:
    tile = open_rgb(path)
    tile.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    return tile


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
