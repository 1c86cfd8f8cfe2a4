"""Calls to a WebUI beside the run: one in a thread, and whether it can be used again."""

import threading
import time
from collections.abc import Callable
from typing import Any

from ....core.errors import ServerError
from ...http import Refused
from ...job import Failure
from .webui_client import WebUI

GATEWAY = (502, 503, 504)  # of a proxy in front: the WebUI itself may go on
NOT_THE_JOB = (401, 403, 404, 429, *GATEWAY)  # unless the WebUI itself says more


class Call:
    """A function that runs beside. Nobody need wait for it: the thread ends with the process."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._done = threading.Event()
        self._reply: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="webui call", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within `seconds`."""
        return self._done.wait(seconds)

    def result(self) -> Any:
        """What the function gave, or raises what it raised. To be called after its end."""
        if self._error is not None:
            raise self._error
        return self._reply

    def _run(self) -> None:
        try:
            self._reply = self._function()
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error
        self._done.set()


def explain_refusal(error: Refused) -> Failure | None:
    """Why the WebUI did not draw; None when it is not the job that is refused but we, or a proxy
    that lost patience."""
    if error.status in NOT_THE_JOB and not _reason(error.body):
        return None
    if error.status in (401, 403):
        return None
    body = error.body if isinstance(error.body, dict) else {}
    name, reason = str(body.get("error", "")), _reason(body) or str(error)
    if error.status < 500:
        return Failure("invalid", f"The WebUI refused the job: {reason}.")
    if "OutOfMemory" in name or "out of memory" in reason.lower():
        return Failure("memory", f"The WebUI ran out of memory: {reason}.")
    return Failure("node", f"The WebUI failed: {reason}{f' ({name})' if name else ''}.")


def _reason(body: Any) -> str:
    """The reason in an error reply: of 422 a list of fields, else a text."""
    body = body if isinstance(body, dict) else {}
    detail = body.get("detail")
    if isinstance(detail, list):
        return "; ".join(_field(problem) for problem in detail if isinstance(problem, dict))
    reasons = [str(text) for text in (detail, body.get("errors")) if text]
    return " ".join(reasons).rstrip(".")


def _field(problem: dict[str, Any]) -> str:
    where = ".".join(str(key) for key in problem.get("loc", []) if key != "body")
    return f"{where}: {problem.get('msg', 'wrong')}"


PATIENCE = 600.0  # seconds for what was left there to come to its end


class Probe:
    """Called to find out whether the server can be used; raises ManyshotError while it cannot.

    A call that was given up goes on there, and its images are lost: the server is used again when
    that has ended, so that no work is done twice at once. `check` raises ManyshotError when it may
    not be used (a model is missing, say).
    """

    def __init__(self, client: WebUI, check: Callable[[], None]) -> None:
        self._client, self._check = client, check
        self._lock = threading.Lock()
        self._abandoned_at: float | None = None
        self._stamp: str | None = None

    def __call__(self) -> None:
        progress = self._client.progress()
        if progress.busy and self._is_ours(progress.started):
            raise ServerError("It is still drawing an earlier job, whose result cannot be fetched.")
        with self._lock:
            self._abandoned_at = None
        self._check()

    def abandon(self, stamp: str | None) -> None:
        """A call was given up. `stamp`: when it began there; None when nobody can tell."""
        with self._lock:
            self._abandoned_at, self._stamp = time.monotonic(), stamp

    def _is_ours(self, started: str) -> bool:
        """Whether what is drawn there was given up here, as far as can be told; then it is
        interrupted where that is sure."""
        with self._lock:
            abandoned_at, stamp = self._abandoned_at, self._stamp
        if abandoned_at is None or time.monotonic() - abandoned_at > PATIENCE:
            return False
        if stamp is not None and stamp == started:
            self._client.interrupt()
        return stamp in (None, started)
