"""The servers of a run: the embedded one started, the others reached, of whatever program."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import InputError, ServerError
from .address import EMBEDDED, ServerAddress
from .backend import Backend
from .embedded import EmbeddedServer, ServerSettings
from .embedded.cache_folders import models_folder
from .embedded.shared import share_background
from .plan import Plan
from .recipe import Recipe
from .subjects import server_files
from .targets.comfyui.comfy_server import ComfyServer, reach
from .targets.webui.webui_server import reach as reach_webui
from .workflow.catalogue import Catalogue


class Server(Protocol):
    """A server of the run. `problem` says why it was not reached at the start."""

    @property
    def name(self) -> str: ...
    @property
    def reached(self) -> bool: ...
    @property
    def problem(self) -> str | None: ...

    def check(self, plan: Plan) -> None:
        """Raises InputError when it cannot do a job of the plan."""
        ...

    def facts(self, plan: Plan) -> dict[str, Any]:
        """What manyshot.json says about it."""
        ...

    def backend(self, plan: Plan) -> Backend[Any]: ...
    def close(self) -> None: ...


@contextmanager
def open_servers(
    recipe: Recipe,
    comfyui: Path | None,
    progress: Callable[[str], None],
    embedded: EmbeddedServer | None = None,
) -> Iterator[list[Server]]:
    """The recipe's servers, in its order; an embedded one lives as long as the block, unless it
    runs already (`embedded`).

    Raises ServerError when none of them answers.
    """
    with ExitStack() as stack:
        servers: list[Server] = [
            _open(stack, address, recipe, comfyui, progress, embedded) for address in recipe.servers
        ]
        names = [server.name for server in servers]
        if len(set(names)) < len(names):
            raise InputError(f"A server is named twice: {', '.join(names)}.")
        if not any(server.reached for server in servers):
            raise ServerError(" ".join(server.problem or "" for server in servers))
        yield servers
        for server in servers:
            server.close()


def first_catalogue(servers: Sequence[Server]) -> Catalogue | None:
    """What the first ComfyUI server that answered has; None without one."""
    catalogues = (server.catalogue for server in servers if isinstance(server, ComfyServer))
    return next((catalogue for catalogue in catalogues if catalogue), None)


def _open(
    stack: ExitStack,
    address: ServerAddress,
    recipe: Recipe,
    comfyui: Path | None,
    progress: Callable[[str], None],
    embedded: EmbeddedServer | None,
) -> Server:
    if address.url == EMBEDDED:
        return _start_embedded(stack, address, recipe, comfyui, progress, embedded)
    if address.is_webui:
        return reach_webui(address, recipe)
    return reach(address.base_url, address, recipe)


def _start_embedded(
    stack: ExitStack,
    address: ServerAddress,
    recipe: Recipe,
    comfyui: Path | None,
    progress: Callable[[str], None],
    embedded: EmbeddedServer | None,
) -> ComfyServer:
    files = server_files(recipe)
    if embedded is None and comfyui is None and (running := share_background(files, progress)):
        reached = reach(EMBEDDED, address.model_copy(update={"url": running.url}), recipe)
        return replace(reached, models=(running.folder / "models", models_folder()))
    settings = ServerSettings(comfyui=comfyui, extra_models=files)
    server = embedded or stack.enter_context(EmbeddedServer(settings, progress))
    reached = reach(EMBEDDED, address.model_copy(update={"url": server.url}), recipe)
    return replace(reached, revive=server.restart, models=server.model_folders)
