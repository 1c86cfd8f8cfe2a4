"""manyshot plan | run | status."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.counted import pluralize
from .doors import DatasetFolder
from .options import Json, Open, Quiet, Settings, open_file, print_json, progress_console

if TYPE_CHECKING:  # imported when a command runs, so that --help is instant
    from ..driver.run import Summary
    from .console import PlainConsole

Recipe = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)]
Servers = Annotated[
    list[str] | None,
    typer.Option(
        "--server",
        help="Use this server instead of the recipe's: http://host:port for ComfyUI, "
        "webui+http://host:port for a WebUI, or 'embedded'. Repeatable.",
        show_default=False,
    ),
]
Comfyui = Annotated[
    Path | None,
    typer.Option(help="Your own ComfyUI folder, for the server 'embedded'.", show_default=False),
]
Python = Annotated[
    Path | None,
    typer.Option(
        help="The interpreter of --comfyui, where it has an environment of its own.",
        show_default=False,
    ),
]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        help="An environment variable that the recipe may send to its servers, in addition "
        "to those named MANYSHOT_... Repeatable.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None, typer.Option(help="The dataset folder to write, instead of the recipe's.")
]


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module on the root command."""
    app.command("plan")(plan)
    app.command("run")(run)
    app.command("status")(status)


def plan(
    recipe: Recipe,
    server: Servers = None,
    secret: Secrets = None,
    show: Annotated[int, typer.Option(help="Number of jobs to show.")] = 5,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Show what a recipe would make, and check it against a server if you name one."""
    from rich.table import Table

    from ..driver.each_draw import draw_recipes
    from ..driver.preview import preview_run
    from ..driver.recipe import read_recipe
    from .console import PlainConsole
    from .summaries import plan_summary

    ready = read_recipe(recipe, settings, servers=server)
    views = [preview_run(draw, bool(server), show) for draw in draw_recipes(ready)]
    if as_json:
        plans = [plan_summary(view) for view in views]
        print_json({"draws": plans} if ready.each_draw else plans[0])
        return
    console = PlainConsole()
    for view in views:
        table = Table("class", "prompt", "negative")
        table.add_column("seed", no_wrap=True)
        table.add_column("id", no_wrap=True)
        for job, drawn in view.first:
            shown = ("" if value is None else str(value) for value in drawn)
            table.add_row(job.class_name, *shown, job.id[:12])
        console.print(table)
        for line in view.lines:
            console.print(line, soft_wrap=True)


def run(
    recipe: Recipe,
    server: Servers = None,
    secret: Secrets = None,
    comfyui: Comfyui = None,
    python: Python = None,
    output: Output = None,
    prune: Annotated[
        bool,
        typer.Option(help="Remove images that an earlier recipe planned and this one does not."),
    ] = False,
    redraw: Annotated[
        bool,
        typer.Option(
            "--redraw", help="Regenerate deleted images instead of counting them as rejected."
        ),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Draw a replacement for every rejected image."),
    ] = False,
    settings: Settings = None,
    quiet: Quiet = False,
    open_it: Open = False,
) -> None:
    """Generate a recipe's dataset folder. Ctrl-C stops; run again to resume."""
    from ..driver.address import allow_secrets
    from ..driver.each_draw import run_draws
    from ..driver.recipe import read_recipe
    from ..driver.screen import ConsoleScreen
    from ..driver.take_over import Wishes
    from ..driver.targets.target import find_installation
    from .console import PlainConsole

    allow_secrets(secret or ())
    screen = ConsoleScreen(progress_console(quiet), progress_console(False))
    ready = read_recipe(recipe, settings, servers=server, output=output)
    wishes, exit_code = Wishes(prune, redraw, replace), 0
    for summary in run_draws(ready, screen, find_installation(comfyui, python), wishes):
        _show_summary(PlainConsole(), summary)
        if ready.price_per_hour:
            _show_cost(PlainConsole(), summary, len(ready.servers), ready.price_per_hour)
        if open_it and summary.contact_sheet:
            open_file(summary.contact_sheet)
        exit_code = max(exit_code, summary.exit_code)
    raise typer.Exit(exit_code)


def status(
    folder: DatasetFolder,
    as_json: Json = False,
) -> None:
    """Show the progress of a dataset folder by class, and what failed."""
    from rich.table import Table

    from ..driver.preview import read_state
    from .console import PlainConsole
    from .summaries import status_summary

    counts, classes, failures = read_state(folder)
    if as_json:
        print_json(status_summary(folder, counts, classes, failures))
        return
    console = PlainConsole()
    table = Table("class", "planned jobs", "done", "failed")
    for name, planned, done, failed in classes:
        table.add_row(name, f"{planned:,}", f"{done:,}", f"{failed:,}" if failed else "")
    console.print(table)
    console.print(
        f"{counts.done:,} of {pluralize(counts.planned, 'job')} done, {counts.pending:,} to do, "
        f"{counts.failed:,} failed{_rejected(counts.rejected)}.",
        highlight=False,
    )
    _show_failures(console, failures)


def _show_summary(console: "PlainConsole", summary: "Summary") -> None:
    """What was made, what was not and why, and where it is."""
    counts, progress = summary.counts, summary.progress
    took = timedelta(seconds=round(summary.seconds))
    pace = progress.images / summary.seconds if summary.seconds else 0.0
    console.print(
        f"{pluralize(progress.images, 'image')} in {took} ({pace:.2f}/s); "
        f"{summary.done:,} of {pluralize(summary.planned, 'is', 'are')} there"
        f"{_rejected(counts.rejected)}.",
        highlight=False,
    )
    for sentence in _changes(summary):
        console.print(sentence, style="yellow", soft_wrap=True)
    for name, part in progress.servers.items():
        images = pluralize(part.images, "image")
        console.print(f"  {name}: {images}", markup=False, highlight=False)
    for kind, count in progress.tries.items():
        console.print(f"  {count} retried ({kind})", markup=False, highlight=False)
    _show_failures(console, summary.failures)
    console.print(f"Dataset: {summary.folder}", markup=False, highlight=False, soft_wrap=True)
    if summary.contact_sheet:
        sheet = f"Contact sheet: {summary.contact_sheet}"
        console.print(sheet, markup=False, highlight=False, soft_wrap=True)
    if summary.interrupted:
        console.print("Interrupted. Run the same command again to resume.", style="yellow")
    elif summary.stopped:
        console.print(f"Stopped: {summary.stopped}", style="red", markup=False, highlight=False)
        console.print("Run the same command again to resume.", style="yellow")
    elif counts.failed:
        failed = pluralize(
            counts.failed,
            "job failed; run again to retry it.",
            "jobs failed; run again to retry them.",
        )
        console.print(failed)


def _show_cost(
    console: "PlainConsole", summary: "Summary", servers: int, price_per_hour: float
) -> None:
    """What the servers of this run cost, and so each image; the time before it began is not in."""
    cost = summary.seconds / 3600 * servers * price_per_hour
    images = summary.progress.images
    each = f", {cost / images:.4f} an image" if images else ""
    console.print(
        f"Cost: {cost:.2f}{each} ({pluralize(servers, 'server')} at {price_per_hour:g} an hour).",
        highlight=False,
    )


def _rejected(count: int) -> str:
    return f", {count:,} rejected" if count else ""


def _changes(summary: "Summary") -> Iterator[str]:
    """What became of the folder's files before the run, and while it went on."""
    taken = summary.taken
    if taken.thrown_out:
        yield pluralize(
            taken.thrown_out,
            "image had been deleted: it counts as rejected. To regenerate it, run with --redraw.",
            "images had been deleted: they count as rejected. To regenerate them, run with "
            "--redraw.",
        )
    if taken.damaged:
        yield pluralize(
            taken.damaged,
            "image was damaged or changed, and is queued again.",
            "images were damaged or changed, and are queued again.",
        )
    if taken.opened:
        yield pluralize(
            taken.opened,
            "job had lost a file or was damaged, and is queued again.",
            "jobs had lost files or were damaged, and are queued again.",
        )
    if taken.removed:
        yield pluralize(
            taken.removed,
            "image of an earlier recipe was removed.",
            "images of an earlier recipe were removed.",
        )
    if taken.others:
        yield pluralize(
            taken.others,
            "image from another source is also in metadata.jsonl; it stays.",
            "images from other sources are also in metadata.jsonl; they stay.",
        )
    if summary.gone or summary.damaged:
        images = pluralize(summary.gone + summary.damaged, "image was", "images were")
        yield f"{images} removed or changed during the run. Run the same command again."


def _show_failures(console: "PlainConsole", failures: list[tuple[str, str, int]]) -> None:
    for kind, reason, count in failures:
        console.print(
            f"{count:,} failed ({kind}), such as: {reason}",
            style="red",
            markup=False,
            highlight=False,
        )
