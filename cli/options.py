"""Options that several commands share, and what they do."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .console import PlainConsole

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a value of the recipe, as if the file said so: seed=1, arms.0.ratio=200 "
        "(a number is an index of a list, from 0). Repeatable.",
        show_default=False,
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the result as JSON; docs/scripts.md lists its keys."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress, only results and warnings.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the result in the browser.")]


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout; no number that JSON does not know is in it."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def progress_console(quiet: bool) -> PlainConsole:
    """Where progress is shown: stderr, so that stdout has the results alone."""
    return PlainConsole(stderr=True, soft_wrap=True, quiet=quiet)


def open_file(path: Path) -> None:
    """Open a page or picture with what this machine opens such files with; where there is no
    display, say its path on stderr."""
    import webbrowser

    url = path.absolute().as_uri()
    if not _has_display() or not webbrowser.open(url):
        PlainConsole(stderr=True, soft_wrap=True).print(
            f"It cannot be opened here: {path.absolute()}"
        )


def _has_display() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
