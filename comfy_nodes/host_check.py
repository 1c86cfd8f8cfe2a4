"""A server that manyshot started answers only to names of this machine.

ComfyUI compares Origin with Host, which are equal where a web page's own name was rebound to
127.0.0.1; the page could then queue prompts and read pictures.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from ..core.loopback import LOOPBACK_ONLY, is_loopback


def add_host_check() -> None:
    """Refuse foreign names, where the driver asked for it when it started this server."""
    from server import PromptServer

    server = getattr(PromptServer, "instance", None)
    if server is None or not os.environ.get(LOOPBACK_ONLY):
        return
    from aiohttp import web

    @web.middleware
    async def refuse_foreign_names(
        request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]
    ) -> Any:
        if not is_loopback(f"http://{request.host}"):
            return web.json_response(
                {"error": "This server answers to localhost only."}, status=403
            )
        return await handler(request)

    server.app.middlewares.insert(0, refuse_foreign_names)
