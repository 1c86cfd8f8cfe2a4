"""manyshot curate: which generated pairs can be trusted?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..core.extras import Extra
from .doors import DATASETS
from .needs import needs
from .options import Quiet, progress_console


class Net(StrEnum):
    """The nets of `Segmenter.net`, for --help, which must not load the trainer."""

    FPN = "fpn"
    UNET = "unet"
    DEEPLABV3PLUS = "deeplabv3plus"
    LRASPP = "lraspp"
    DEEPLABV3 = "deeplabv3"


def add_to(app: typer.Typer) -> None:
    """Put the command of this module on the root command."""
    app.command("curate")(curate)


@needs("curate", Extra.TRAINER)
def curate(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A dataset folder of images with masks.", show_default=False, callback=DATASETS
        ),
    ],
    real: Annotated[
        Path,
        typer.Option(help="Real pairs to train the segmenter on.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(help="The dataset folder to write; must be new or empty.", show_default=False),
    ],
    least: Annotated[
        float | None, typer.Option(help="Leave out pairs below this agreement, 0 to 1.")
    ] = None,
    drop: Annotated[
        float | None,
        typer.Option(help="Leave out this share of each class, 0 to 1: those that agree least."),
    ] = None,
    ignore: Annotated[
        bool,
        typer.Option(
            "--ignore",
            help="Mark pixels that the segmenter finds unlikely as ignored in the masks.",
        ),
    ] = False,
    alike: Annotated[
        bool,
        typer.Option("--alike", help="Treat all classes except the background as one object."),
    ] = False,
    held_out: Annotated[
        Path | None,
        typer.Option(help="Separate real pairs as the reference, instead of cross-validation."),
    ] = None,
    segmenter: Annotated[Net, typer.Option(help="The network to train.")] = Net.FPN,
    size: Annotated[int, typer.Option(help="Side of its input, in pixels.")] = 128,
    steps: Annotated[int, typer.Option(min=1, help="Training steps.")] = 200,
    batch: Annotated[int, typer.Option(min=2, help="Pairs per training step.")] = 16,
    quiet: Quiet = False,
) -> None:
    """Score generated image-mask pairs with a segmenter trained on real ones.

    Writes a new dataset folder with the scores, what was left out and why, and a page to browse,
    agreement.html. The input folder is not changed.
    """
    from ..core.recipe_file import parse_recipe_data
    from .console import PlainConsole
    from .progress import loading, progress

    shown = progress_console(quiet)
    with loading("PyTorch", shown):
        from ..trainer.curation.curate import Curation
        from ..trainer.curation.curate import curate as curate_folder
        from ..trainer.measure.plans import Budget
        from ..trainer.measure.segmentation.segmenter_settings import Segmenter
    net = parse_recipe_data(Segmenter, {"net": segmenter.value, "size": size}, "The segmenter")
    curation = Curation(
        folder, real, output, held_out, least, drop, ignore, alike, net, Budget(steps, batch)
    )
    console = PlainConsole()
    with progress(shown) as step:
        summary = curate_folder(curation, step)
    for line in (summary.sentence, f"{output}; browse it at {summary.page}"):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
