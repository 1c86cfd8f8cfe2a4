"""The figures' place in the docs: the model card, its pictures, and the file they come from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from manyshot.core.errors import InputError
from manyshot.core.files import write_atomic, write_text_atomic

from .card_tables import PICTURES, tables
from .evaluation_figures import read_figures

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def publish(folder: Path, docs: Path) -> None:
    """Bring an evaluation's figures and pictures into the docs, and its tables into the card."""
    figures = folder / "evaluation.json"
    write_card(docs / "model_card.md", read_figures(figures))
    write_atomic(docs / figures.name, figures.read_bytes())
    for picture in sorted((folder / "pictures").glob(f"{PICTURES}*")):
        write_atomic(docs / "pictures" / picture.name, picture.read_bytes())


def write_card(path: Path, figures: Mapping[str, Any]) -> None:
    """Put the tables between the card's two markers. Raises InputError when it lacks them."""
    if not path.is_file():
        raise InputError(f"There is no {path} to put the figures into.")
    write_text_atomic(path, with_tables(path.read_text(encoding="utf-8"), figures, str(path)))


def with_tables(text: str, figures: Mapping[str, Any], where: str) -> str:
    """A card's text with these tables in the place of its earlier ones."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"{where} lacks {BEGIN} and {END}, between which the figures go.")
    return f"{before}{BEGIN}\n\n{tables(figures)}\n\n{END}{after}"
