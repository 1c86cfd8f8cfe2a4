"""`manyshot doctor`: the servers. Do they answer, with manyshot's nodes and with models?"""

from collections.abc import Iterator

from pydantic import ValidationError

from ..core.errors import InputError, ManyshotError
from .address import EMBEDDED, ServerAddress
from .doctor import Check
from .embedded.background import BackgroundServer, find_background
from .embedded.source import find_installed
from .http import Http
from .targets.comfyui.comfy_client import Comfy
from .targets.webui.webui_client import WebUI

CONNECT_SECONDS, REPLY_SECONDS = 2.0, 10.0
PREFIX = "Manyshot"  # of the names of manyshot's nodes
NODES = "Install manyshot in its custom_nodes folder, and start it anew: see docs/artists.md."
CHECKPOINT = ("CheckpointLoaderSimple", "ckpt_name")


def check_embedded() -> Iterator[Check]:
    """The ComfyUI that manyshot installs, and what `manyshot server start` left running."""
    source, running = find_installed(), find_background()
    if source is None:
        fix = "manyshot server install"
        yield Check("ComfyUI", False, "not installed", fix)
    else:
        yield Check("ComfyUI", True, f"{source.version} in {source.folder}")
    if running is None:
        text = "not running; a run starts its own, and `manyshot server start` one that stays"
        yield Check("server", True, text, needed=False)
    else:
        yield from _background(running)


def _background(running: BackgroundServer) -> Iterator[Check]:
    if running.facts() is None:
        fix = "manyshot server stop, then manyshot server start"
        yield Check("server", False, f"{running.url} does not answer", fix)
    else:
        yield from check_server(running.url)


def check_server(address: str) -> list[Check]:
    """A running server by its address, as recipes have it. Raises InputError for no address."""
    try:
        server = ServerAddress(url=address)
    except ValidationError:
        raise InputError(
            f"{address!r} is not a server address. Write it as http://host:port of a "
            "ComfyUI, or webui+http://host:port of a WebUI."
        ) from None
    if server.url == EMBEDDED:
        return [*check_embedded()]
    http = Http(server, CONNECT_SECONDS, REPLY_SECONDS)
    try:
        return [*(_webui(WebUI(http)) if server.is_webui else _comfyui(Comfy(http), address))]
    except ManyshotError as error:
        fix = "Start it, or give another address; a WebUI must be started with --api."
        return [Check("server", False, str(error).rstrip("."), fix)]
    finally:
        http.close()


def _comfyui(server: Comfy, address: str) -> Iterator[Check]:
    stats = server.stats()
    system, devices = stats.get("system"), stats.get("devices")
    version = system.get("comfyui_version", "unknown") if isinstance(system, dict) else "unknown"
    names = [str(each.get("name")) for each in devices or [] if isinstance(each, dict)]
    yield Check("server", True, f"ComfyUI {version} at {address} on {', '.join(names) or '?'}")
    nodes = server.catalogue()
    count = sum(name.startswith(PREFIX) for name in nodes)
    text = f"{len(nodes)}, {count} of them manyshot's"
    yield Check("nodes", bool(count), text, "" if count else NODES)
    yield _models(_options(nodes))


def _webui(server: WebUI) -> Iterator[Check]:
    titles = [str(each.get("title")) for each in server.list_items("sd-models") or []]
    yield Check("server", True, "the WebUI answers")
    yield _models(titles)


def _models(names: list[str]) -> Check:
    if not names:
        fix = "Put a checkpoint into its folder of models, and refresh it."
        return Check("models", False, "no checkpoint", fix)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Check("models", True, f"checkpoints: {', '.join(names[:3])}{more}")


def _options(nodes: dict[str, object]) -> list[str]:
    """Names of the checkpoints, in either form that ComfyUI lists options in."""
    match nodes.get(CHECKPOINT[0]):
        case {"input": {"required": {"ckpt_name": ["COMBO", {"options": [*names]}, *_]}}}:
            return [str(name) for name in names]
        case {"input": {"required": {"ckpt_name": [[*names], *_]}}}:
            return [str(name) for name in names]
    return []
