"""Both reports as files beside results.json."""

from pathlib import Path

from ....core.files import write_text_atomic
from ..results import Results
from .html import html
from .markdown import markdown
from .page import page

PAGE = "report.html"
TEXT = "report.md"


def write_report(folder: Path, results: Results) -> tuple[Path, Path]:
    """Write `folder`/report.html and report.md, each whole or not at all; gives their paths."""
    shown = page(results)
    paths = folder / PAGE, folder / TEXT
    for path, text in zip(paths, (html(shown), markdown(shown)), strict=True):
        write_text_atomic(path, text)
    return paths
