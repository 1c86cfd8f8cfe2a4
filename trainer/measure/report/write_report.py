"""The page: one file with its style inside, no script, and nothing fetched from anywhere."""

import base64
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ....core.files import write_text_atomic
from ..measure_results import Results
from .markdown import markdown
from .report_page import Page, page

HERE = Path(__file__).parent
MARKS = {"helps": "▲", "hurts": "▼", "cannot tell": "○", "no difference": "○"}


def html(page: Page) -> str:
    """The page as text. Whatever comes from results is escaped by the template engine."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    template = _environment().get_template("page.html.jinja")
    # Our own file, and the policy allows this very text and no other style.
    return template.render(page=page, style=Markup(style), digest=digest, marks=MARKS)


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


PAGE = "report.html"
TEXT = "report.md"


def write_report(folder: Path, results: Results) -> tuple[Path, Path]:
    """Write `folder`/report.html and report.md, each whole or not at all; gives their paths."""
    shown = page(results)
    paths = folder / PAGE, folder / TEXT
    for path, text in zip(paths, (html(shown), markdown(shown)), strict=True):
        write_text_atomic(path, text)
    return paths
