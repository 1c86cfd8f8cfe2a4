"""GET /manyshot/families: which kinds of models this server has, for those who queue from afar."""

import asyncio
from dataclasses import asdict
from pathlib import Path

from ..core.model_family import file_facts

PATH = "/manyshot/families"
FOLDERS = ("checkpoints", "diffusion_models", "controlnet")


def add_route() -> None:
    """Add it to ComfyUI's server, once; without a server (in scripts) nothing happens."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is None or any(getattr(route, "path", None) == PATH for route in server.routes):
        return
    server.routes.get(PATH)(_answer)


async def _answer(_request: object) -> object:
    from aiohttp import web

    return web.json_response(await asyncio.to_thread(families))


def families() -> dict[str, dict[str, dict[str, str | None]]]:
    """Folder -> file name -> kind and family, of the files whose header tells.

    Names and paths are ComfyUI's own lists; nothing of the request is used.
    """
    return {folder: _facts_by_name(folder) for folder in FOLDERS}


def _facts_by_name(folder: str) -> dict[str, dict[str, str | None]]:
    from folder_paths import get_filename_list, get_full_path

    paths = {name: get_full_path(folder, name) for name in get_filename_list(folder)}
    facts_by_name = {name: file_facts(Path(path)) for name, path in paths.items() if path}
    return {name: asdict(facts) for name, facts in facts_by_name.items() if facts}
