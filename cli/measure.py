"""manyshot measure: did the synthetic images help?"""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.counted import pluralize
from ..core.extras import Extra
from .needs import needs
from .options import Json, Open, Quiet, Settings, open_file, print_json, progress_console

if TYPE_CHECKING:  # imported when the command runs, so that --help is instant
    from ..trainer.measure.measure_results import GainRow, Results
    from .console import PlainConsole


class Protocol(StrEnum):
    """The protocols of `MeasureRecipe.protocol`, for --help, which must not load the trainer."""

    FAIR = "fair"
    THESIS = "thesis"


Recipe = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module on the root command."""
    app.command("measure")(measure)
    app.command("shots")(shots)


@needs("measure", Extra.TRAINER)
def measure(
    recipe: Recipe,
    output: Annotated[
        Path | None, typer.Option(help="The folder for results.json, instead of the recipe's.")
    ] = None,
    protocol: Annotated[
        Protocol | None,
        typer.Option(
            help="Use this protocol instead of the recipe's; results go to <output>_<protocol>."
        ),
    ] = None,
    allow_overlap: Annotated[
        bool, typer.Option(help="Measure even if synthetic images repeat test images.")
    ] = False,
    settings: Settings = None,
    as_json: Json = False,
    quiet: Quiet = False,
    open_it: Open = False,
) -> None:
    """Measure whether synthetic images help. Ctrl-C stops; run again to resume."""
    from ..core.recipe_file import read_recipe_file
    from ..trainer.measure.measure_recipe import MeasureRecipe
    from ..trainer.measure.measure_results import FILE
    from ..trainer.measure.report.answer import is_finished
    from .console import PlainConsole
    from .progress import loading, progress
    from .report import draw
    from .summaries import measure_summary

    console = PlainConsole()
    measure_recipe = read_recipe_file(
        MeasureRecipe,
        recipe,
        settings,
        output=output,
        allow_overlap=allow_overlap or None,
        protocol=protocol and protocol.value,
    )
    if protocol and not output:
        folder = measure_recipe.output.with_name(f"{measure_recipe.output.name}_{protocol.value}")
        measure_recipe = measure_recipe.model_copy(update={"output": folder})
    shown = progress_console(quiet)
    with loading("PyTorch", shown):
        from ..trainer.measure.run_measurement import measure as run_recipe
    with progress(shown) as step:
        results = run_recipe(measure_recipe, step)
    file = measure_recipe.output / FILE
    if as_json:
        page = draw(None, measure_recipe.output, results)
        print_json(measure_summary(results, file, page, is_finished(results)))
    else:
        _show(console, results)
        console.print(f"Results: {file}", soft_wrap=True)
        page = draw(console, measure_recipe.output, results)
    if open_it:
        open_file(page)


@needs("shots", Extra.TRAINER)
def shots(
    recipe: Recipe,
    folder: Annotated[Path, typer.Argument(help="The folder for the class folders.")],
    each_draw: Annotated[
        bool,
        typer.Option("--each-draw", help="Write one folder per draw: FOLDER/<shots>-<draw>/..."),
    ] = False,
    settings: Settings = None,
) -> None:
    """Copy the photos that a measurement trains on into class folders.

    With task: segmentation they come with their masks: FOLDER/images/<class> and
    FOLDER/masks/<class>; the mask files name their classes.

    Generate from these: each image is then added only to draws that contain its photo. Subjects
    need training per draw: their images are added only to draws that contain all their photos.
    """
    from ..core.recipe_file import read_recipe_file
    from ..trainer.measure.measure_recipe import MeasureRecipe
    from .console import PlainConsole
    from .progress import loading

    measure_recipe = read_recipe_file(MeasureRecipe, recipe, settings)
    with loading("PyTorch", progress_console(False)):
        from ..trainer.measure.photos import lay_out_shots
    count = lay_out_shots(measure_recipe, folder, each_draw)
    what = "photos" if measure_recipe.task == "classification" else "pairs of photo and mask"
    PlainConsole().print(f"{count:,} {what} in {folder}", markup=False, highlight=False)


def _show(console: "PlainConsole", results: "Results") -> None:
    """The table of gains, the sentences, and what a reader must know."""
    from math import isfinite

    from rich.table import Table

    from ..trainer.measure.report.sample_figures import NONE, points, span

    table = Table("shots", "arm", "reached", "gain in points (95 %)", "relative", "against")
    if results.published:
        table.add_column("published")
    for row in results.gains:
        table.add_row(
            str(row.shots),
            row.arm,
            f"{row.value:.1f} %",
            f"{points(row.gain, 2)} ({span(row.low, row.high, 2)})",
            f"{row.relative:+.1f} %" if isfinite(row.relative) else NONE,
            f"{row.against}, {row.baseline:.1f} %",
            *(["\n".join(_published(results, row))] if results.published else []),
        )
    console.print(table)
    console.print(results.split.description, markup=False, highlight=False, soft_wrap=True)
    for row in results.gains:
        line = f"{pluralize(row.shots, 'shot')}: {row.sentence}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for source in dict.fromkeys(figure.source for figure in results.published):
        console.print(f"Published: {source}", markup=False, highlight=False, soft_wrap=True)
    for note in results.notes:
        console.print(f"- {note}", style="dim", markup=False, highlight=False, soft_wrap=True)


def _published(results: "Results", row: "GainRow") -> list[str]:
    """What others found for the arm of a row; it stands beside the row against real only."""
    from rich.markup import escape

    return [
        escape(figure.text)
        for figure in results.published
        if row.against == "real only" and (figure.shots, figure.arm) == (row.shots, row.arm)
    ]
