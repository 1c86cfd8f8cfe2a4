"""The command line: parse, call, print. The only place that knows both driver and trainer."""

import typer

from ..core.endings import end_as_by_ctrl_c
from ..core.errors import ManyshotError
from . import base, curate, dataset, export, measure, report, run, server, subject, workflow
from .base_files import export as export_base
from .base_files import import_files
from .base_webui import webui
from .demo import command as demo_command
from .evaluation.command import evaluate

app = typer.Typer(
    name="manyshot",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Turn a few labelled photos into a training set with Stable Diffusion.",
)
app.command()(demo_command.demo)
run.add_to(app)
dataset.add_to(app)
curate.add_to(app)
export.add_to(app)
measure.add_to(app)
report.add_to(app)
app.add_typer(server.app, name="server")
app.add_typer(workflow.app, name="workflow")
base.app.command("export")(export_base)
base.app.command("import")(import_files)
base.app.command()(evaluate)
base.app.command()(webui)
app.add_typer(base.app, name="base")
app.add_typer(subject.app, name="subject")


def main() -> None:
    """Entry of the `manyshot` command: errors become one sentence and an exit code."""
    from .console import PlainConsole

    end_as_by_ctrl_c()
    try:
        app()
    except ManyshotError as error:
        console = PlainConsole(stderr=True, soft_wrap=True)
        console.print(f"manyshot: {error}", style="red")
        raise SystemExit(error.exit_code) from None
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        console = PlainConsole(stderr=True, soft_wrap=True)
        console.print(f"manyshot: {error.filename}: {error.strerror}.", style="red")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
