"""The commands `export` and `import`: between a run's folder and files to use."""

from pathlib import Path
from typing import Annotated

import typer
from manyshot.cli.console import say
from manyshot.cli.needs import needs
from manyshot.cli.tokenizer import Tokenizer, tokenizer_folder
from manyshot.core.extras import Extra
from manyshot.core.tiny_sizes import TINY

from .commands import PROGRAM, Run


@needs("export", Extra.TRAINER, program=PROGRAM)
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
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer

    from .diffusion import load_networks
    from .export_checkpoint import export_diffusers, export_run
    from .train_controlnet import export_controlnets

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


@needs("import", Extra.TRAINER, program=PROGRAM)
def import_files(
    run: Run,
    checkpoint: Annotated[
        Path,
        typer.Option(
            help="The checkpoint file of `python tools/tiny_model export` to continue from."
        ),
    ],
    controlnets: Annotated[
        Path | None, typer.Option(help="Also take the ControlNets in this folder.")
    ] = None,
    tokenizer: Tokenizer = None,
) -> None:
    """Start a run from exported files, for the training commands to continue."""
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer

    from .import_run import import_run

    words = load_tokenizer(tokenizer_folder(tokenizer))
    for path in import_run(run, checkpoint, controlnets, words, TINY):
        say(f"Took {path}.")
    say(f"{run} continues from there: pass it to the training commands as --run.")
