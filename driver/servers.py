"""The servers of a run: the embedded one started, the others reached, each checked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..core.errors import InputError, ManyshotError, ServerError
from .address import EMBEDDED, ServerAddress
from .comfy import Comfy
from .embedded import EmbeddedServer, ServerSettings
from .families import check_families
from .http import Http
from .models import model_facts
from .plan import Plan
from .prepare import preflight
from .recipe import Recipe
from .subject_checks import check_subjects
from .subjects import server_files
from .workflow.catalogue import Catalogue


@dataclass(frozen=True)
class Server:
    """A server of the run. `catalogue` is None while it does not answer."""

    name: str
    comfy: Comfy
    catalogue: Catalogue | None
    problem: str | None = None
    revive: Callable[[], None] | None = None
    models: tuple[Path, ...] = ()
    """Its models folders, when they are on this machine."""


@contextmanager
def open_servers(
    recipe: Recipe, comfyui: Path | None, progress: Callable[[str], None]
) -> Iterator[list[Server]]:
    """The recipe's servers, in its order; an embedded one lives as long as the block.

    Raises ServerError when none of them answers.
    """
    with ExitStack() as stack:
        servers = [
            _embedded(stack, address, recipe, comfyui, progress)
            if address.url == EMBEDDED
            else _remote(address.base_url, address, recipe)
            for address in recipe.servers
        ]
        names = [server.name for server in servers]
        if len(set(names)) < len(names):
            raise InputError(f"A server is named twice: {', '.join(names)}.")
        if not any(server.catalogue for server in servers):
            raise ServerError(" ".join(server.problem or "" for server in servers))
        yield servers
        for server in servers:
            server.comfy.http.close()


def check_server(plan: Plan, server: Server, catalogue: Catalogue) -> None:
    """Raises InputError when `server` would refuse a job of the plan, misread its subjects, or
    steer its models by a ControlNet made for others."""
    preflight(plan, catalogue, server.name)
    check_families(plan, catalogue, server.name, server.comfy)
    check_subjects(plan, server.name, server.comfy, server.models)


def facts(server: Server, plan: Plan) -> dict[str, Any]:
    """What manyshot.json says about a server: name, version, devices, the plan's model files."""
    try:
        stats = server.comfy.stats()
    except ServerError as error:
        return {"name": server.name, "problem": str(error)}
    system = stats.get("system")
    devices = stats.get("devices")
    return {
        "name": server.name,
        "comfyui": system.get("comfyui_version") if isinstance(system, dict) else None,
        "devices": [d.get("name") for d in devices] if isinstance(devices, list) else [],
        "models": model_facts(plan, server.comfy, server.models),
    }


def _embedded(
    stack: ExitStack,
    address: ServerAddress,
    recipe: Recipe,
    comfyui: Path | None,
    progress: Callable[[str], None],
) -> Server:
    settings = ServerSettings(comfyui=comfyui, extra_models=server_files(recipe))
    server = stack.enter_context(EmbeddedServer(settings, progress))
    reached = _remote(EMBEDDED, address.model_copy(update={"url": server.url}), recipe)
    return replace(reached, revive=server.restart, models=server.model_folders)


def _remote(name: str, address: ServerAddress, recipe: Recipe) -> Server:
    comfy = Comfy(Http(address, recipe.timeouts.connect, recipe.timeouts.reply))
    try:
        catalogue = Catalogue.from_json(comfy.catalogue(), f"{name}/object_info")
    except ManyshotError as error:  # away, or it answers something else
        return Server(name, comfy, None, str(error))
    return Server(name, comfy, catalogue)
