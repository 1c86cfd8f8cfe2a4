"""What must be in order before a WebUI is used, again."""

import threading
import time
from collections.abc import Callable

from ....core.errors import ServerError
from .webui_client import WebUI

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
