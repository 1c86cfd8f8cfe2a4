"""manyshot report: draw the report of a measurement again."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..core.extras import Extra
from .doors import ResultsPath
from .needs import needs
from .options import Open, open_file

if TYPE_CHECKING:  # imported when the command runs, so that --help is instant
    from ..trainer.measure.measure_results import Results
    from .console import PlainConsole


def add_to(app: typer.Typer) -> None:
    """Put the command of this module on the root command."""
    app.command("report")(report)


@needs("report", Extra.TRAINER)
def report(
    folder: ResultsPath,
    open_it: Open = False,
) -> None:
    """Redraw report.html and report.md from a measurement's results.json."""
    from ..trainer.measure.measure_results import FILE, read_results
    from ..trainer.measure.report.answer import is_finished
    from .console import PlainConsole

    folder = folder.parent if folder.name == FILE and folder.is_file() else folder
    console, results = PlainConsole(), read_results(folder)
    page = draw(console, folder, results)
    if open_it:
        open_file(page)
    if not is_finished(results):
        console.print("The measurement is not finished: run `manyshot measure` to resume it.")


def draw(console: "PlainConsole | None", folder: Path, results: "Results") -> Path:
    """Write the report, say on `console` where it is, and give the path of its page."""
    from ..trainer.measure.report.write_report import write_report

    paths = write_report(folder, results)
    if console:
        for path in paths:
            console.print(f"Report: {path}")
    return paths[0]
