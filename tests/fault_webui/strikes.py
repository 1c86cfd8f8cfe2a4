"""Faults of whole replies: what comes in place of one."""

import contextlib
import json
import threading
import time
from http import HTTPStatus
from typing import Any

from .faults import GATEWAY, Fault
from .job import Answered, problem
from .life import Life
from .serve import post
from .state import Gone


class Broken(Exception):
    """The connection is to break, within the reply where there is one."""

    def __init__(self, body: bytes = b"") -> None:
        super().__init__("broken")
        self.body = body


def strike_before(faults: tuple[Fault, ...]) -> None:
    """Nothing is queued."""
    for fault in faults:
        match fault.what:
            case "drop before":
                raise Broken
            case "error 500":
                raise Answered(500, problem("something went wrong", "RuntimeError"))
            case "gateway 502":
                raise Answered(502, _page(502))
            case "unauthorized":
                raise Answered(401, problem("Not authenticated"))
            case "nonsense":
                raise Answered(200, b"<html><body>It works!</body></html>")


def post_beside(life: Life, path: str, body: Any, faults: tuple[Fault, ...]) -> None:
    """Do what is asked, and answer as a proxy that does not wait for it."""

    def run() -> None:
        with contextlib.suppress(Answered, Gone):
            post(life, path, body, faults)

    before = life.diary.open
    threading.Thread(target=run, daemon=True).start()
    while life.diary.open == before:
        time.sleep(0.001)
    raise Answered(504, _page(504))


def struck_after(faults: tuple[Fault, ...], body: Any) -> tuple[int, Any]:
    """What was asked has been done."""
    for fault in faults:
        match fault.what:
            case "drop midway":
                raise Broken(json.dumps(body).encode())
            case "drop after":
                raise Broken
            case "gateway 504":
                return 504, _page(504)
    return 200, body


def _page(status: int) -> bytes:
    return GATEWAY.format(status=status, reason=HTTPStatus(status).phrase).encode()
