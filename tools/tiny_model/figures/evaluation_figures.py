"""evaluation.json: all figures of the evaluation, part by part, in one file."""

import json
from pathlib import Path
from typing import Any

from manyshot.core.begun import check_begun
from manyshot.core.counted import round_figures
from manyshot.core.errors import InputError
from manyshot.core.files import write_text_atomic
from manyshot.core.json_text import read_json


def read_figures(path: Path) -> dict[str, Any]:
    """What earlier runs wrote; {} when there is nothing. Raises InputError for another file."""
    if not path.is_file():
        return {}
    try:
        figures = read_json(path)
    except ValueError:
        raise InputError(f"{path} is not a file of figures. Move it away.") from None
    if not isinstance(figures, dict):
        raise InputError(f"{path} is not a file of figures. Move it away.")
    return figures


def check_photos(path: Path, photos: str) -> None:
    """Raises InputError when the figures of `path` were measured on other real images than those
    of the digest `photos`: all parts of a file are measured on the same. Files of earlier versions
    do not say, and pass."""
    before = read_figures(path).get("model", {}).get("photos")
    if before is not None:
        check_begun(path, {"photos": before}, {"photos": photos})


def write_part(path: Path, name: str, figures: dict[str, Any]) -> None:
    """Put the figures of one part in the place of its earlier ones."""
    whole = {**read_figures(path), name: round_figures(figures)}
    write_text_atomic(path, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
