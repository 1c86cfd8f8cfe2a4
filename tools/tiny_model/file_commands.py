"""`manyshot base export` and `manyshot base import`: between a run's folder and files to use."""

from pathlib import Path
from typing import Annotated

import typer

from ..core.extras import Extra
from ..core.tiny_sizes import TINY
from .base import Run
from .console import say
from .needs import needs
from .tokenizer import Tokenizer, tokenizer_folder


@needs("base export", Extra.TRAINER)
def export(
    run: Run,
    checkpoint: Annotated[
        Path, typer.Option(help="The checkpoint file to write, for ComfyUI's models/checkpoints.")
    ],
    diffusers: Annotated[
        Path | None, typer.Option(help="Also write a folder for diffusers pipelines.")
    ] = None,
    controlnets: Annotated[
        Path | None, typer.Option(help="Also write the trained ControlNets into this folder.")
    ] = None,
    tokenizer: Tokenizer = None,
) -> None:
    """Export the trained model to files that other programs load."""
    from ..trainer.base.architecture import load_tokenizer
    from ..trainer.base.diffusion import load_networks
    from ..trainer.base.export_checkpoint import export_diffusers, export_run
    from ..trainer.base.train_controlnet import export_controlnets

    words = load_tokenizer(tokenizer_folder(tokenizer))
    networks = load_networks(run, words, TINY)
    export_run(checkpoint, run, networks, TINY)
    say(f"Wrote {checkpoint} ({checkpoint.stat().st_size / 1e6:.1f} MB).")
    if diffusers is not None:
        export_diffusers(diffusers, networks)
        say(f"Wrote {diffusers}.")
    if controlnets is not None:
        for path in export_controlnets(controlnets, run, networks, TINY):
            say(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB).")


@needs("base import", Extra.TRAINER)
def import_files(
    run: Run,
    checkpoint: Annotated[
        Path, typer.Option(help="The checkpoint file of `manyshot base export` to continue from.")
    ],
    controlnets: Annotated[
        Path | None, typer.Option(help="Also take the ControlNets in this folder.")
    ] = None,
    tokenizer: Tokenizer = None,
) -> None:
    """Start a run from exported files, for the training commands to continue."""
    from ..trainer.base.architecture import load_tokenizer
    from ..trainer.base.import_run import import_run

    words = load_tokenizer(tokenizer_folder(tokenizer))
    for path in import_run(run, checkpoint, controlnets, words, TINY):
        say(f"Took {path}.")
    say(f"{run} continues from there: pass it to the training commands as --run.")
