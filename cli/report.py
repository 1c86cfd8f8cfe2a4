"""manyshot report: draw the report of a measurement again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.extras import Extra
from .needs import needs

if TYPE_CHECKING:  # imported when the command runs, so that --help is instant
    from ..trainer.measure.results import Results
    from .console import PlainConsole


def add_to(app: typer.Typer) -> None:
    """Put the command of this module on the root command."""
    app.command("report")(report)


@needs("report", Extra.TRAINER)
def report(
    folder: Annotated[
        Path,
        typer.Argument(help="A measurement's results.json, or its folder.", show_default=False),
    ],
) -> None:
    """Redraw report.html and report.md from a measurement's results.json."""
    from ..trainer.measure.report.answer import is_finished
    from ..trainer.measure.results import FILE, read_results
    from .console import PlainConsole

    folder = folder.parent if folder.name == FILE and folder.is_file() else folder
    console, results = PlainConsole(), read_results(folder)
    draw(console, folder, results)
    if not is_finished(results):
        console.print("The measurement is not finished: run `manyshot measure` to resume it.")


def draw(console: "PlainConsole", folder: Path, results: "Results") -> None:
    """Write the report and say where it is."""
    from ..trainer.measure.report.write import write_report

    for path in write_report(folder, results):
        console.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
