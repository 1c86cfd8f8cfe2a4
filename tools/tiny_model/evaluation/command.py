"""The command `python tools/tiny_model evaluate`."""

import logging
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from manyshot.cli.needs import needs
from manyshot.core.errors import InputError
from manyshot.core.extras import Extra

from ..commands import PROGRAM, Data, Run
from .stage import control_name, weight_files

if TYPE_CHECKING:  # imported when the command runs, so that --help is instant
    from collections.abc import Callable
    from typing import Any

    from manyshot.cli.console import PlainConsole

    from .work import Work


class Part(StrEnum):
    """What can be evaluated by itself, in the order in which it is done."""

    GUIDANCE = "guidance"
    CLASSES = "classes"
    SAMPLERS = "samplers"
    PROMPTS = "prompts"
    SEGMENTATION = "segmentation"
    CANNY = "canny"
    AUTOENCODER = "autoencoder"
    SPEED = "speed"


STRENGTHS = (1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0)


@needs("evaluate", Extra.SERVER, Extra.TRAINER, program=PROGRAM)
def evaluate(
    data: Data,
    run: Run,
    part: Annotated[
        list[Part] | None, typer.Option(help="What to evaluate. Repeatable. Default: all.")
    ] = None,
    each: Annotated[
        int, typer.Option(min=1, help="Images per class, where classes are evaluated.")
    ] = 20,
    few: Annotated[
        int, typer.Option(min=1, help="Images per class or per control, elsewhere.")
    ] = 4,
    cfg: Annotated[
        float | None,
        typer.Option(help="Guidance; default: the one that the part guidance chooses."),
    ] = None,
    strength: Annotated[
        list[float] | None, typer.Option(help="A guidance to compare. Repeatable.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="A folder with checkpoints/ and controlnet/; default: manyshot's own weights."
        ),
    ] = None,
    docs: Annotated[
        Path | None,
        typer.Option(help="Also put figures and images into this folder's model card."),
    ] = None,
) -> None:
    """Draw with stock nodes on the embedded ComfyUI, and measure. Run it again to continue."""
    from manyshot.cli.console import PlainConsole
    from manyshot.core.tiny_files import WEIGHTS

    from ..figures.card import publish
    from ..figures.instruments import open_instruments
    from .stage import open_stage
    from .work import Work

    console = PlainConsole(soft_wrap=True)
    files = weight_files(weights or WEIGHTS)
    parts = _possible(part, files, console)
    kept = run / "evaluation" / "real"
    tools = open_instruments(data, kept, _prepare(console))
    with open_stage(run, files, f"{each}-{few}", console) as stage:
        work = Work(stage, tools, data, kept, each, few, tuple(strength or STRENGTHS), cfg)
        _measure(work, parts, console)
    console.print(f"Figures: {stage.figures}", markup=False, highlight=False)
    if docs is not None:
        publish(stage.folder, docs)
        console.print(f"Wrote {docs}.", markup=False, highlight=False)


def _possible(
    parts: Sequence[Part] | None, files: Mapping[str, Path], console: "PlainConsole"
) -> list[Part]:
    """The parts asked for; all of them are those whose ControlNet there is.

    Raises InputError for a part that was asked for and has none.
    """
    absent = [p for p in (Part.SEGMENTATION, Part.CANNY) if control_name(p) not in files]
    for name in [name for name in absent if parts and name in parts]:
        raise InputError(f"There is no {control_name(name)}, which the part {name} evaluates.")
    if absent and not parts:
        console.print(f"Without ControlNets: {', '.join(absent)} left out.", highlight=False)
    return [name for name in parts or Part if name not in absent]


def _measure(work: "Work", parts: Sequence[Part], console: "PlainConsole") -> None:
    """The parts in the order of Part, each written down as soon as it is measured."""
    from dataclasses import replace

    from ..figures.evaluation_figures import check_photos, read_figures, write_part
    from .stage import facts

    path, photos = work.stage.figures, work.tools.photos
    check_photos(path, photos)
    write_part(path, "model", {**facts(work.stage), "photos": photos})
    for name in [name for name in Part if name in parts]:
        chosen = read_figures(path).get("guidance", {}).get("chosen")
        figures = _functions()[name](replace(work, cfg=work.cfg or chosen))
        write_part(path, name, figures)
        console.print_json(data=read_figures(path)[name])


def _functions() -> "dict[Part, Callable[[Work], dict[str, Any]]]":
    from . import classes, controls, prompts

    return {
        Part.GUIDANCE: classes.guidance,
        Part.CLASSES: classes.classes,
        Part.SAMPLERS: classes.samplers,
        Part.PROMPTS: prompts.prompts,
        Part.SEGMENTATION: controls.segmentation,
        Part.CANNY: controls.canny,
        Part.AUTOENCODER: classes.autoencoder,
        Part.SPEED: classes.speed,
    }


def _prepare(console: "PlainConsole") -> int:
    """Log lines on the terminal, as many threads as cores, or as OMP_NUM_THREADS says."""
    import torch
    from rich.logging import RichHandler

    handler = RichHandler(console=console, show_path=False)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler])
    threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
    torch.set_num_threads(threads)
    return threads
