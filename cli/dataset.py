"""manyshot verify | repair | reject: looking after a dataset folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.counted import pluralize

if TYPE_CHECKING:
    from ..driver.upkeep import Condition

Folder = Annotated[Path, typer.Argument(help="A dataset folder.", show_default=False)]
SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module on the root command."""
    app.command("verify")(verify)
    app.command("repair")(repair)
    app.command("reject")(reject)


def verify(
    folder: Folder,
    read_data: Annotated[
        bool,
        typer.Option(
            "--read-data",
            help="Read every file, not only those whose size or time has changed.",
        ),
    ] = False,
) -> None:
    """Check that every image and mask of a dataset folder is there and as it was written.

    Changes nothing. Ends with 1 when a file is gone or damaged.
    """
    from ..driver.upkeep import verify as verify_folder

    condition = verify_folder(folder, read_data)
    _show_names("gone", condition.gone)
    _show_names("damaged or changed", condition.damaged)
    _show_names("not in metadata.jsonl", condition.unlisted)
    typer.echo(
        f"{condition.whole:,} of {pluralize(condition.planned, 'image is', 'images are')} there "
        f"and whole, {condition.rejected:,} rejected."
    )
    if not condition.is_good:
        _show_advice(folder, condition)
        raise typer.Exit(1)


def repair(folder: Folder) -> None:
    """Mend a dataset folder: make a lost or damaged ledger again, and open what is not whole.

    Reads every file. Damaged images are drawn by the next run of the recipe.
    """
    from ..driver.upkeep import repair as repair_folder

    mended = repair_folder(folder)
    if mended.damage:
        typer.echo(f"The ledger was damaged ({mended.damage}); it lies beside as *.damaged.")
    if mended.restored:
        typer.echo(
            "The ledger was made again: "
            f"{pluralize(mended.restored, 'job was', 'jobs were')} found by their files."
        )
    _show_names("gone", mended.condition.gone)
    _show_names("damaged or changed", mended.condition.damaged)
    _show_names("not in metadata.jsonl", mended.condition.unlisted)
    typer.echo(
        f"{pluralize(mended.condition.whole, 'image is', 'images are')} there and whole, "
        f"{mended.condition.rejected:,} rejected."
    )
    if mended.opened:
        opened = pluralize(
            mended.opened,
            "job is open again. Run the recipe to draw it.",
            "jobs are open again. Run the recipe to draw them.",
        )
        typer.echo(opened)
    elif not mended.condition.is_good and not mended.condition.can_run:
        _show_advice(folder, mended.condition)
        raise typer.Exit(1)


def reject(
    folder: Folder,
    images: Annotated[
        list[str] | None,
        typer.Argument(help="Images: paths, or file names as in metadata.jsonl."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the records.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Keep them after all.")] = False,
    gone: Annotated[
        bool, typer.Option("--gone", help="Reject every image whose file was deleted.")
    ] = False,
) -> None:
    """Reject images: no run makes them again, and exports and measurements leave them out.

    Their files stay; deleting a file rejects it, too.
    """
    from ..driver.upkeep import reject as reject_images
    from ..driver.upkeep import reject_gone, replaced

    if not images and not gone:
        raise typer.BadParameter("Name the images, or give --gone.")
    extra = replaced(folder, images) if images and undo else 0
    count = reject_images(folder, images, reason, undo) if images else 0
    count += reject_gone(folder) if gone else 0
    marked = pluralize(count, "image is", "images are")
    typer.echo(f"{marked} {'kept' if undo else 'rejected'}.")
    if extra:
        surplus = pluralize(
            extra, "other was drawn in its place and is", "others were drawn and are"
        )
        typer.echo(
            f"{surplus} more than the recipe asks for: run it with --prune to remove the "
            "surplus, or "
            "with larger images_per_class to keep all."
        )


def _show_advice(folder: Path, condition: "Condition") -> None:
    """What mends a folder: for deleted images another command than for lost and damaged files."""
    if not condition.can_run:
        if condition.gone or condition.damaged:
            typer.echo("No run made this folder: copy these files back, or take their lines out.")
        if condition.unlisted:
            typer.echo("Copy the lines of these images back, or take the images out.")
        return
    if condition.deleted:
        deleted = pluralize(
            condition.deleted,
            "image was deleted, and counts as rejected from the next run on. To draw it",
            "images were deleted, and count as rejected from the next run on. To draw them",
        )
        typer.echo(f"{deleted} again: manyshot run RECIPE --redraw.")
    if len(condition.gone) + len(condition.damaged) > condition.deleted:
        typer.echo(f"Mend it: manyshot repair {folder}, then run its recipe again.")


def _show_names(what: str, names: Sequence[str]) -> None:
    for name in names[:SHOWN]:
        typer.echo(f"{what}: {name}")
    if len(names) > SHOWN:
        typer.echo(f"{what}: {len(names) - SHOWN:,} more")
