"""manyshot export: a dataset folder in the formats that other programs read."""

from pathlib import Path
from typing import Annotated

import typer

from ..core.counted import pluralize
from ..driver.export.options import Drawing, Format, Shapes
from .doors import DatasetFolder
from .options import Quiet, progress_console


def add_to(app: typer.Typer) -> None:
    """Put the command of this module on the root command."""
    app.command("export")(export)


def export(
    folder: DatasetFolder,
    to: Annotated[
        Format,
        typer.Option(metavar="FORMAT", help=f"{', '.join(Format)}.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option(help="The folder to write; must be new or empty.", show_default=False)
    ],
    shapes: Annotated[
        Shapes,
        typer.Option(
            help="What COCO, YOLO and VOC store for each mask: outlines (VOC: masks) or boxes; "
            "'image' needs no masks and stores the whole image as a box."
        ),
    ] = Shapes.POLYGONS,
    tolerance: Annotated[
        float,
        typer.Option(help="How far polygons may deviate from masks, in pixels; 0 is exact."),
    ] = 0.0,
    instances: Annotated[
        bool,
        typer.Option(
            "--instances",
            help="COCO, YOLO, VOC: each connected part of a mask is an object of its own.",
        ),
    ] = False,
    val_share: Annotated[
        float, typer.Option(help="Share of each class to use for validation, 0 to 1.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed that picks the validation images.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Export the kept images of a dataset folder as COCO, YOLO, Pascal VOC, WebDataset and more."""
    from ..driver.export.export_dataset import export as export_folder
    from .console import PlainConsole
    from .progress import progress

    console = PlainConsole()
    with progress(progress_console(quiet)) as step:
        done = export_folder(
            folder,
            to,
            output,
            Drawing(shapes, tolerance, instances),
            val_share,
            seed,
            step,
        )
    if done.deleted:
        deleted = pluralize(
            done.deleted, "image was deleted: it counts", "images were deleted: they count"
        )
        console.print(f"{deleted} as rejected.")
    parts = (
        pluralize(done.train, "image")
        if not done.val
        else f"{done.train:,} + {pluralize(done.val, 'image')}"
    )
    if done.unshared:
        console.print(
            f"val has no images of {', '.join(done.unshared)}: too few, or all from one source.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"{parts} of {pluralize(done.classes, 'class', 'classes')}: {output}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
