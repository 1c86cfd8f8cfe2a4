"""Routes beside the WebUI's API: how the run goes, and the records of its folder.

    GET /manyshot/v1/status     the counts of the latest run
    GET /manyshot/v1/records    its records; ?after=N leaves out N, ?limit=M, at most 1,000

The WebUI guards its own routes one by one, so those of extensions are open until they do the same.
They are there only where the API is (--api, --nowebui).
"""

import base64
import binascii
from itertools import islice
from pathlib import Path
from secrets import compare_digest
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from modules import shared

from ..core.dataset_files import METADATA
from ..core.json_text import parse_json
from .status import board

MOST = 1000
PREFIX = "/manyshot/v1"


def add_routes(demo: Any, app: FastAPI) -> None:
    """For script_callbacks.on_app_started; `demo` is None without pages."""
    options = shared.cmd_opts
    if not (getattr(options, "api", False) or getattr(options, "nowebui", False)):
        return
    guards = [Depends(check_login)]
    app.add_api_route(f"{PREFIX}/status", status, methods=["GET"], dependencies=guards)
    app.add_api_route(f"{PREFIX}/records", records, methods=["GET"], dependencies=guards)


def check_login(request: Request) -> None:
    """The API's own user and password (--api-auth user:pass,user:pass), where it asks for one."""
    logins = getattr(shared.cmd_opts, "api_auth", None)
    if not logins:
        return
    login = _login(request.headers.get("authorization", ""))
    pairs = [pair.strip().encode() for pair in logins.split(",")]
    # every pair is compared, so that the time says nothing of which one is right
    if not any([compare_digest(login, pair) for pair in pairs]):
        raise HTTPException(
            401, "Incorrect username or password", headers={"WWW-Authenticate": "Basic"}
        )


def status() -> dict[str, Any]:
    return board.as_dict()


def records(after: int = 0, limit: int = MOST) -> list[dict[str, Any]]:
    """The lines of metadata.jsonl, which is written when a run ends."""
    folder = board.now.folder
    path = Path(folder) / METADATA
    if not folder or not path.is_file():
        return []
    first = max(0, after)
    with path.open(encoding="utf-8") as lines:
        chosen = islice(lines, first, first + max(0, min(limit, MOST)))
        return [parse_json(line) for line in chosen]


def _login(header: str) -> bytes:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""
