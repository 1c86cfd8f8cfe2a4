"""The order of the pack's templates in ComfyUI's template browser.

ComfyUI lists a pack's files as the disk does, and shows them so.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..core.json_text import parse_json

ROUTES = ("/workflow_templates", "/api/workflow_templates")
PACK = Path(__file__).parents[1].name  # ComfyUI calls a pack by its folder


def add_template_order() -> None:
    """Sort the names of this pack's templates, which begin with numbers, in the server's answer."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is None:
        return
    from aiohttp import web

    @web.middleware
    async def sort_templates(
        request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> Any:
        response = await handler(request)
        if request.path in ROUTES and isinstance(response, web.Response) and response.text:
            return web.json_response(sort_pack(parse_json(response.text)))
        return response

    server.app.middlewares.append(sort_templates)


def sort_pack(templates: dict[str, list[str]]) -> dict[str, list[str]]:
    """`templates` with this pack's names in order; those of other packs stay as they are."""
    return {pack: sorted(names) if pack == PACK else names for pack, names in templates.items()}
