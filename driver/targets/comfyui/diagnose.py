"""What `manyshot doctor` looks at on ComfyUI servers: nodes, models, and the embedded one."""

from collections.abc import Iterator

from ...address import ServerAddress
from ...embedded.background import BackgroundServer, find_background
from ...embedded.source import find_installed
from ..target import Check, ask_briefly, check_models
from .comfy_client import Comfy

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
        yield from check_remote(ServerAddress(url=running.url))


def check_remote(address: ServerAddress) -> Iterator[Check]:
    """A running server: its devices, manyshot's nodes and its checkpoints."""
    with ask_briefly(address) as http:
        stats, nodes = Comfy(http).stats(), Comfy(http).catalogue()
    system, devices = stats.get("system"), stats.get("devices")
    version = system.get("comfyui_version", "unknown") if isinstance(system, dict) else "unknown"
    names = [str(each.get("name")) for each in devices or [] if isinstance(each, dict)]
    yield Check("server", True, f"ComfyUI {version} at {address.url} on {', '.join(names) or '?'}")
    count = sum(name.startswith(PREFIX) for name in nodes)
    text = f"{len(nodes)}, {count} of them manyshot's"
    yield Check("nodes", bool(count), text, "" if count else NODES)
    yield check_models(_options(nodes))


def _options(nodes: dict[str, object]) -> list[str]:
    """Names of the checkpoints, in either form that ComfyUI lists options in."""
    match nodes.get(CHECKPOINT[0]):
        case {"input": {"required": {"ckpt_name": ["COMBO", {"options": [*names]}, *_]}}}:
            return [str(name) for name in names]
        case {"input": {"required": {"ckpt_name": [[*names], *_]}}}:
            return [str(name) for name in names]
    return []
