"""What must be in order before a WebUI is used, again."""

import threading
import time
from collections.abc import Callable

from ...core.errors import ServerError
from .client import WebUI

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
        self._left: float | None = None
        self._ours = False

    def __call__(self) -> None:
        progress = self._client.progress()
        with self._lock:
            left, ours = self._left, self._ours
        if left is not None and progress.busy and time.monotonic() - left < PATIENCE:
            if ours:
                self._client.interrupt()
            raise ServerError("It still draws what it was given before, which cannot be fetched.")
        with self._lock:
            self._left = None
        self._check()

    def abandon(self, ours: bool) -> None:
        """A call was given up. `ours`: it is that which is drawn, so that it may be interrupted."""
        with self._lock:
            self._left, self._ours = time.monotonic(), ours
