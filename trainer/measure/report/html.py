"""The page: one file with its style inside, no script, and nothing fetched from anywhere."""

import base64
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .page import Page

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
