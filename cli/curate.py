"""manyshot curate: which generated pairs can be trusted?"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..core.extras import Extra
from .needs import needs


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
        Path, typer.Argument(help="A dataset folder of images with masks.", show_default=False)
    ],
    real: Annotated[
        Path,
        typer.Option(help="Real pairs for the segmenter to learn from.", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option(help="The dataset folder to make, new or empty.", show_default=False)
    ],
    least: Annotated[
        float | None, typer.Option(help="Leave out pairs of less agreement, 0 to 1.")
    ] = None,
    drop: Annotated[
        float | None,
        typer.Option(help="Leave out this share of each class, 0 to 1: the lowest."),
    ] = None,
    ignore: Annotated[
        bool,
        typer.Option("--ignore", help="Let masks ignore pixels that the segmenter finds unlikely."),
    ] = False,
    alike: Annotated[
        bool,
        typer.Option("--alike", help="Count all classes but the background as one object."),
    ] = False,
    held_out: Annotated[
        Path | None,
        typer.Option(help="Other real pairs as the yardstick, instead of cross-validation."),
    ] = None,
    segmenter: Annotated[Net, typer.Option(help="The net that learns.")] = Net.FPN,
    size: Annotated[int, typer.Option(help="Side in pixels that it sees.")] = 128,
    steps: Annotated[int, typer.Option(min=1, help="Steps of its training.")] = 200,
    batch: Annotated[int, typer.Option(min=2, help="Pairs in a step.")] = 16,
) -> None:
    """Score how far a segmenter of real pairs agrees with each generated one.

    A new dataset folder is written, with scores, what is left out and why, and a page to look at,
    agreement.html. The folder that is read stays as it is.
    """
    from ..core.recipe_file import parse_recipe_data
    from ..trainer.curation.curate import Curation
    from ..trainer.curation.curate import curate as curate_folder
    from ..trainer.measure.plans import Budget
    from ..trainer.measure.segmentation.segmenter import Segmenter
    from .console import PlainConsole
    from .progress import progress

    net = parse_recipe_data(Segmenter, {"net": segmenter.value, "size": size}, "The segmenter")
    wanted = Curation(
        folder, real, output, held_out, least, drop, ignore, alike, net, Budget(steps, batch)
    )
    console = PlainConsole()
    with progress(console) as step:
        found = curate_folder(wanted, step)
    for line in (found.sentence, f"{output}, and a page to look at: {found.page}"):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
