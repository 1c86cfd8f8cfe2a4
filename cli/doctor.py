"""`manyshot doctor`: what is here, what is missing, and how to get it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from .options import Json, print_json

if TYPE_CHECKING:  # imported when the command runs, so that --help is instant
    from ..driver.targets.target import Check


def add_to(app: typer.Typer) -> None:
    """Put the command of this module on the root command."""
    app.command("doctor")(doctor)


def doctor(
    server: Annotated[
        str | None,
        typer.Option(
            help="Check this server instead of the embedded one: http://host:port of a ComfyUI, "
            "webui+http://host:port of a WebUI.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check what is installed and running, and how to get the rest; exit code 1 if not ready.

    Ready means that everything is there to get from photos to an answer: packages, a server with
    models, disk space.
    """
    from ..driver.address import EMBEDDED
    from ..driver.doctor import check_machine, check_server

    address = EMBEDDED if server is None else server
    checks = [*check_machine(address == EMBEDDED), *check_server(address)]
    ready = all(check.ok for check in checks if check.needed)
    if as_json:
        print_json({"ready": ready, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks, ready)
    raise typer.Exit(0 if ready else 1)


def _show(checks: "list[Check]", ready: bool) -> None:
    from rich.table import Table

    from .console import PlainConsole

    console = PlainConsole()
    table = Table.grid(padding=(0, 2))
    for no_wrap in (True, True, False):
        table.add_column(no_wrap=no_wrap)
    for check in checks:
        words = Text(check.text) if check.ok else Text(f"{check.text}\n{check.fix}")
        table.add_row(_mark(check), check.name, words)
    console.print(table)
    console.print("Ready." if ready else "Not ready: something required is missing.")


def _mark(check: "Check") -> Text:
    if check.ok:
        return Text("ok", "green")
    return Text("missing", "red") if check.needed else Text("optional", "yellow")
