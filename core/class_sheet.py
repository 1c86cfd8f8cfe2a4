"""A picture of a dataset: a row for each class, with its name and its first images."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

TILE, GAP, MARGIN = 128, 4, 12
COLUMNS = 8  # images of a class
MAX_CLASSES = 60
NAME_WIDTH = 190
LINE = 24  # height of a line of text
INK, PALE, PAPER = (40, 40, 40), (120, 120, 120), (255, 255, 255)
NAME_LENGTH = 22  # letters that fit into NAME_WIDTH


def draw_class_rows(
    classes: Mapping[str, Sequence[Image.Image]], counts: Mapping[str, int]
) -> Image.Image:
    """A row for each of the first MAX_CLASSES classes: its name and its first COLUMNS images, in as
    many columns of rows as look square. `classes` is not empty; `counts`: how many images each has,
    which is written beneath the name where not all are shown. A last line says how many classes
    are left out."""
    shown = {name: tiles[:COLUMNS] for name, tiles in list(classes.items())[:MAX_CLASSES]}
    row_width = NAME_WIDTH + max(map(len, shown.values())) * (TILE + GAP) + MARGIN
    columns = max(1, round((len(shown) * (TILE + GAP) / row_width) ** 0.5))
    rows = -(-len(shown) // columns)
    left_out_classes = len(counts) - len(shown)
    height = rows * (TILE + GAP)
    sheet = paper(columns * row_width - MARGIN, height + (LINE if left_out_classes else 0))
    if left_out_classes:
        text = f"The first {len(shown)} of {len(counts):,} classes."
        ImageDraw.Draw(sheet).text((MARGIN, MARGIN + height), text, INK, load_font(16))
    for number, (name, tiles) in enumerate(shown.items()):
        column, row = divmod(number, rows)
        place = (MARGIN + column * row_width, MARGIN + row * (TILE + GAP))
        left_out = len(tiles) < counts[name]
        _draw_row(sheet, place, name, tiles, counts[name] if left_out else 0)
    return sheet


def make_tile(image: Image.Image) -> Image.Image:
    """A copy that fits TILE x TILE."""
    tile = image.copy()
    tile.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    return tile


def paper(width: int, height: int) -> Image.Image:
    """An empty sheet with a margin around `width` x `height` pixels."""
    return Image.new("RGB", (width + 2 * MARGIN, height + 2 * MARGIN), PAPER)


def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which every machine has."""
    return ImageFont.load_default(size)


def _draw_row(
    sheet: Image.Image,
    place: tuple[int, int],
    name: str,
    tiles: Sequence[Image.Image],
    count: int,
) -> None:
    left, top = place
    draw = ImageDraw.Draw(sheet)
    draw.text((left, top + TILE // 2 - 9), _shorten(name), INK, load_font(16))
    if count:
        first = f"the first {len(tiles)} of {count:,}"
        draw.text((left, top + TILE // 2 + 12), first, PALE, load_font(13))
    for column, tile in enumerate(tiles):
        sheet.paste(tile, (left + NAME_WIDTH + column * (TILE + GAP), top))


def _shorten(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"
