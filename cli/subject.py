"""`manyshot subject`: a few photos become a word of a prompt."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..core.extras import Extra
from .needs import needs
from .options import Quiet, Settings, progress_console
from .subject_evaluation import evaluate
from .tokenizer import Tokenizer, tokenizer_folder

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and evaluate subjects (Textual Inversion, LoRA, DreamBooth).",
)
app.command()(evaluate)


@app.command()
@needs("subject train", Extra.TRAINER)
def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option(help="The folder for the trained files, instead of the recipe's.")
    ] = None,
    tokenizer: Tokenizer = None,
    device: Annotated[str, typer.Option(help='Device to compute on: "cpu", "cuda".')] = "cpu",
    bf16: Annotated[bool, typer.Option(help="Compute in bfloat16.")] = False,
    workers: Annotated[
        int,
        typer.Option(min=0, help="Parts of a batch computed in parallel; 0: one per CPU thread."),
    ] = 0,
    log: Annotated[
        Literal["tensorboard", "wandb"] | None,
        typer.Option(help="Log losses there too: OUTPUT/logs, or a W&B run."),
    ] = None,
    settings: Settings = None,
    quiet: Quiet = False,
) -> None:
    """Train a recipe's subjects. Ctrl-C saves; run again to resume."""
    from ..core.recipe_file import read_recipe_file
    from ..core.tiny_files import TINY_MODEL
    from ..trainer.subjects.subject_recipe import SubjectRecipe
    from .console import PlainConsole
    from .progress import loading, progress

    console = PlainConsole(soft_wrap=True)
    subject_recipe = read_recipe_file(SubjectRecipe, recipe, settings, output=output)
    shown = progress_console(quiet)
    with loading("PyTorch", shown):
        from ..trainer.device import check_device
        from ..trainer.stable_diffusion.architecture import load_tokenizer
        from ..trainer.subjects.machine import Machine
        from ..trainer.subjects.train_recipe import train_recipe
        from ..trainer.training_log import open_log
    check_device(device)

    steps = subject_recipe.settings.steps
    with progress(shown) as report_step, open_log(log, subject_recipe.output) as log_loss:

        def report_loss(name: str, step: int, loss: float) -> None:
            shown.print(f"{name}: step {step} of {steps}, held-out loss {loss:.4f}")
            log_loss(name, step, loss)

        trained = train_recipe(
            subject_recipe,
            subject_recipe.base or TINY_MODEL,
            load_tokenizer(tokenizer_folder(tokenizer)),
            Machine(device, bf16, workers),
            report_loss,
            lambda name, step: report_step(name, step, steps),
        )
    for subject_file in trained:
        if subject_file.fitted.interrupted:
            console.print(f"Saved {subject_file.path}. Run it again to continue.")
            raise typer.Exit(130)
        console.print(
            f"{subject_file.path}: step {subject_file.fitted.step} of {subject_file.fitted.steps} "
            "was the best. "
            f"In prompts: {', '.join(subject.word for subject in subject_file.facts.subjects)}"
        )
        console.print(f"Validation images: {subject_file.path.parent / 'samples'}")
    if not trained:
        console.print(f"All subjects are already trained: {subject_recipe.output}")
