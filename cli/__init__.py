"""The command line: parse, call, print. The only place that knows both driver and trainer."""

from typing import Annotated

import typer

from ..core.endings import treat_as_interrupt
from ..core.version import read_version
from . import (
    curate,
    dataset,
    doctor,
    export,
    measure,
    recipe,
    report,
    run,
    server,
    subject,
    webui,
    workflow,
)
from .examples import EXAMPLES
from .help import add_examples
from .start import command as start_command

app = typer.Typer(
    name="manyshot",
    no_args_is_help=True,
    rich_markup_mode=None,  # boxes break words where terminals are narrow
    pretty_exceptions_enable=False,
    help="Turn a few labelled photos into a training set with Stable Diffusion.",
)
app.command()(start_command.start)
app.command()(start_command.demo)
doctor.add_to(app)
run.add_to(app)
dataset.add_to(app)
curate.add_to(app)
export.add_to(app)
measure.add_to(app)
report.add_to(app)
app.add_typer(recipe.app, name="recipe")
app.add_typer(server.app, name="server")
app.add_typer(workflow.app, name="workflow")
app.add_typer(subject.app, name="subject")
app.add_typer(webui.app, name="webui")
app.add_typer(webui.former, name="base", hidden=True)
add_examples(app, EXAMPLES)


def show_version(version: bool) -> None:
    """Print the version and exit, when `--version` is given."""
    if version:
        typer.echo(f"manyshot {read_version()}")
        raise typer.Exit


@app.callback(context_settings={"help_option_names": ["-h", "--help"]})
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=show_version
        ),
    ] = False,
) -> None:
    """Turn a few labelled photos into a training set with Stable Diffusion."""
    del version  # show_version has dealt with it


def main() -> None:
    """Entry of the `manyshot` command."""
    call(app)


def call(program: typer.Typer) -> None:
    """Run a program's command line: errors become one sentence and an exit code."""
    from .console import PlainConsole
    from .failures import failure_of

    treat_as_interrupt()
    try:
        program()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        console = PlainConsole(stderr=True, soft_wrap=True)
        console.print(f"manyshot: {failure.sentence}", style="red")
        raise SystemExit(failure.exit_code) from None
