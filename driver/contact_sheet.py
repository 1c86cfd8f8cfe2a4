"""Pictures of the pictures: one sheet for each class, and one of all classes."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw

from ..core.class_sheet import (
    COLUMNS,
    GAP,
    INK,
    MARGIN,
    MAX_CLASSES,
    TILE,
    draw_class_rows,
    load_font,
    make_tile,
    paper,
)
from ..core.files import write_atomic
from ..core.images import open_rgb
from ..core.paths import inside

ROWS = 4  # of a class's sheet
FOLDER, OVERVIEW = "contact_sheets", "contact_sheet.png"


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
        _save(_class_sheet(name, paths[: COLUMNS * ROWS]), target)
    overview = folder / OVERVIEW
    _save(_overview(classes), overview)
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
    return sorted(path for path in place.iterdir() if path.suffix == ".png")


def _class_sheet(name: str, paths: list[Path]) -> Image.Image:
    rows = -(-len(paths) // COLUMNS)
    sheet = paper(min(len(paths), COLUMNS) * (TILE + GAP), 30 + rows * (TILE + GAP))
    ImageDraw.Draw(sheet).text((MARGIN, MARGIN), name, INK, load_font(18))
    for number, path in enumerate(paths):
        row, column = divmod(number, COLUMNS)
        place = (MARGIN + column * (TILE + GAP), MARGIN + 30 + row * (TILE + GAP))
        sheet.paste(_tile(path), place)
    return sheet


def _overview(classes: dict[str, list[Path]]) -> Image.Image:
    first = list(classes.items())[:MAX_CLASSES]
    tiles = {name: [_tile(path) for path in paths[:COLUMNS]] for name, paths in first}
    return draw_class_rows(tiles, {name: len(paths) for name, paths in classes.items()})


def _tile(path: Path) -> Image.Image:
    return make_tile(open_rgb(path))
