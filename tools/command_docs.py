"""Writes the help of all commands into docs/: `make docs` runs it.

Those of `manyshot` go into commands.md, those of `python tools/tiny_model`, which is for
developers, into base_commands.md.
"""

from pathlib import Path
from typing import Any

import typer
from manyshot.cli import app
from tiny_model.commands import PROGRAM
from tiny_model.program import app as tiny_model
from typer.cli import get_docs_for_click
from typer.main import get_command

DOCS = Path(__file__).parents[1] / "docs"


def command_docs() -> dict[str, str]:
    """File name in docs/ -> its Markdown."""
    root: Any = get_command(app)
    del root.commands["base"]  # a former name
    return {
        "commands.md": _markdown(root, "manyshot"),
        "base_commands.md": _markdown(get_command(tiny_model), PROGRAM),
    }


def _markdown(command: Any, name: str) -> str:
    context = typer.Context(command)
    return get_docs_for_click(obj=command, ctx=context, name=name).strip() + "\n"


if __name__ == "__main__":
    for name, text in command_docs().items():
        (DOCS / name).write_text(text, encoding="utf-8")
