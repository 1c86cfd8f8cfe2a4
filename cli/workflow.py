"""`manyshot workflow`: check and convert saved ComfyUI workflows."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.counted import pluralize
from .doors import NODE_LISTS, WorkflowFile

if TYPE_CHECKING:  # imported when a command runs, so that --help is instant
    from ..driver.workflow.catalogue import Catalogue

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Check and convert saved ComfyUI workflows.",
)

Server = Annotated[
    str | None, typer.Option(help="The address of a running ComfyUI, http://host:port.")
]
ObjectInfo = Annotated[
    Path | None,
    typer.Option(help="A saved /object_info reply, instead of a server.", callback=NODE_LISTS),
]


@app.command()
def check(file: WorkflowFile, server: Server = None, object_info: ObjectInfo = None) -> None:
    """Report what a server would refuse or misread in a workflow; exit code 2 if anything."""
    from ..driver.workflow.preflight import check as problems_of
    from ..driver.workflow.read_workflow import read_workflow
    from .console import PlainConsole

    catalogue = _needed_catalogue(server, object_info)
    graph = read_workflow(file, catalogue)
    console = PlainConsole(soft_wrap=True)
    problems = problems_of(graph, catalogue, str(file))
    for problem in problems:
        console.print(problem.sentence())
    if problems:
        raise typer.Exit(2)
    console.print(f"{file}: {pluralize(len(graph), 'node')}, no problem.")


@app.command()
def convert(
    file: WorkflowFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The API-format file to write.")],
    server: Server = None,
    object_info: ObjectInfo = None,
) -> None:
    """Convert a workflow to API format, as ComfyUI's Export (API) does."""
    import json

    from ..core.errors import InputError
    from ..core.files import write_text_atomic
    from ..driver.workflow.read_workflow import read_workflow

    graph = read_workflow(file, catalogue_from(server, object_info))
    try:
        write_text_atomic(output, json.dumps(graph, indent=2) + "\n")
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from None


def catalogue_from(server: str | None, object_info: Path | None) -> "Catalogue | None":
    """The node classes of a server, or of a saved /object_info; None when neither is given.

    Raises InputError for a file that holds something else, ServerError when the server does not
    answer.
    """
    from pydantic import ValidationError

    from ..core.errors import InputError
    from ..driver.address import EMBEDDED, ServerAddress
    from ..driver.http import Http
    from ..driver.targets.comfyui.comfy_client import Comfy
    from ..driver.workflow.catalogue import Catalogue
    from ..driver.workflow.read_workflow import read_json

    if object_info is not None:
        return Catalogue.from_json(read_json(object_info), str(object_info))
    if server is None:
        return None
    try:
        address = ServerAddress(url="" if server == EMBEDDED else server)
    except ValidationError:
        raise InputError(
            f"{server!r} is not a server address. Write it as http://host:port."
        ) from None
    return Catalogue.from_json(Comfy(Http(address)).catalogue(), f"{server}/object_info")


def _needed_catalogue(server: str | None, object_info: Path | None) -> "Catalogue":
    from ..core.errors import InputError

    catalogue = catalogue_from(server, object_info)
    if catalogue is None:
        raise InputError("Choose what to check against: --server URL or --object-info FILE.")
    return catalogue
