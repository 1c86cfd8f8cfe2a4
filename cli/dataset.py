"""manyshot verify | repair | reject: looking after a dataset folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.counted import pluralize
from .console import say
from .doors import DatasetFolder

if TYPE_CHECKING:
    from ..driver.upkeep import Condition

SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module on the root command."""
    app.command("verify")(verify)
    app.command("repair")(repair)
    app.command("reject")(reject)


def verify(
    folder: DatasetFolder,
    read_data: Annotated[
        bool,
        typer.Option(
            "--read-data",
            help="Read every file, not only those whose size or modification time changed.",
        ),
    ] = False,
) -> None:
    """Check that every image and mask of a dataset folder exists and is unchanged.

    Changes nothing. Exits with 1 if a file is missing or damaged.
    """
    from ..driver.upkeep import verify as verify_folder

    condition = verify_folder(folder, read_data)
    _show_names("gone", condition.gone)
    _show_names("damaged or changed", condition.damaged)
    _show_names("not in metadata.jsonl", condition.unlisted)
    say(
        f"{condition.whole:,} of {pluralize(condition.planned, 'image is', 'images are')} there "
        f"and whole, {condition.rejected:,} rejected."
    )
    if not condition.is_good:
        _show_advice(folder, condition)
        raise typer.Exit(1)


def repair(folder: DatasetFolder) -> None:
    """Repair a dataset folder: rebuild its ledger and queue incomplete jobs again.

    Reads every file. The recipe's next run regenerates damaged images.
    """
    from ..driver.upkeep import repair as repair_folder

    mended = repair_folder(folder)
    if mended.damage:
        say(f"The ledger was damaged ({mended.damage}); the old file is kept as *.damaged.")
    if mended.restored:
        say(
            f"The ledger was rebuilt: {pluralize(mended.restored, 'job was', 'jobs were')} "
            "recovered from files."
        )
    _show_names("gone", mended.condition.gone)
    _show_names("damaged or changed", mended.condition.damaged)
    _show_names("not in metadata.jsonl", mended.condition.unlisted)
    say(
        f"{pluralize(mended.condition.whole, 'image is', 'images are')} there and whole, "
        f"{mended.condition.rejected:,} rejected."
    )
    if mended.opened:
        opened = pluralize(
            mended.opened,
            "job is queued again. Run the recipe to redo it.",
            "jobs are queued again. Run the recipe to redo them.",
        )
        say(opened)
    elif not mended.condition.is_good and not mended.condition.can_run:
        _show_advice(folder, mended.condition)
        raise typer.Exit(1)


def reject(
    folder: DatasetFolder,
    images: Annotated[
        list[str] | None,
        typer.Argument(help="The images: paths, or file names as in metadata.jsonl."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="The reason, kept in the records.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Accept the images again.")] = False,
    gone: Annotated[
        bool, typer.Option("--gone", help="Reject every image whose file has been deleted.")
    ] = False,
) -> None:
    """Reject images: no run regenerates them; exports and measurements skip them.

    Their files stay. Deleting a file also rejects it.
    """
    from ..driver.upkeep import count_replaced, reject_gone
    from ..driver.upkeep import reject as reject_images

    if not images and not gone:
        raise typer.BadParameter("Name the images, or pass --gone.")
    extra = count_replaced(folder, images) if images and undo else 0
    count = reject_images(folder, images, reason, undo) if images else 0
    count += reject_gone(folder) if gone else 0
    marked = pluralize(count, "image is", "images are")
    say(f"{marked} {'kept' if undo else 'rejected'}.")
    if extra:
        surplus = pluralize(
            extra, "replacement was drawn for it and is", "replacements were drawn and are"
        )
        say(
            f"{surplus} more than the recipe asks for: run it with --prune to remove the "
            "surplus, or raise images_per_class to keep all."
        )


def _show_advice(folder: Path, condition: "Condition") -> None:
    """What mends a folder: for deleted images another command than for lost and damaged files."""
    if not condition.can_run:
        if condition.gone or condition.damaged:
            say("No run made this folder: restore these files, or delete their lines.")
        if condition.unlisted:
            say("Restore the lines of these images, or remove the images.")
        return
    if condition.deleted:
        deleted = pluralize(
            condition.deleted,
            "image was deleted and counts as rejected from the next run on. To draw it",
            "images were deleted and count as rejected from the next run on. To draw them",
        )
        say(f"{deleted} again: manyshot run RECIPE --redraw.")
    if len(condition.gone) + len(condition.damaged) > condition.deleted:
        say(f"Repair it: manyshot repair {folder}, then run its recipe again.")


def _show_names(what: str, names: Sequence[str]) -> None:
    for name in names[:SHOWN]:
        say(f"{what}: {name}")
    if len(names) > SHOWN:
        say(f"{what}: {len(names) - SHOWN:,} more")
