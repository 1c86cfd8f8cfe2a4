"""What must be in order before a ComfyUI server is used, again."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ....core.errors import ServerError

if TYPE_CHECKING:  # types alone
    from .comfy_client import Comfy
    from .listener import Listener

log = logging.getLogger(__name__)
RESTARTS = 10  # of the embedded server, one soon after the other
CALM = 600.0  # seconds without a restart after which they count anew


class Probe:
    """Called to find out whether the server can be used; raises ManyshotError while it cannot.

    `check` is called each time the server answers again and raises ManyshotError when it may not
    be used (a model is missing, say). `revive` starts the embedded server anew when it died.
    """

    def __init__(
        self,
        comfy: "Comfy",
        listener: "Listener",
        check: Callable[[], None],
        revive: Callable[[], None] | None = None,
    ) -> None:
        self._comfy, self._listener, self._check, self._revive = comfy, listener, check, revive
        self._lock = threading.Lock()
        self._abandoned: set[str] = set()
        self._wedged: str | None = None
        self._restarts = 0
        self._restarted = time.monotonic()

    def __call__(self) -> None:
        self._revive_if_dead()
        self._comfy.stats()
        self.cancel_abandoned()
        if self._still_wedged():
            raise ServerError("A node does not finish and does not react to an interrupt.")
        if not self._listener.wait_open(0.5):
            raise ServerError(f"Its websocket does not open: {self._listener.problem}.")
        self._check()

    def abandon(self, prompt_id: str) -> None:
        """A prompt that may or may not have been queued; cancelled once the server is back."""
        with self._lock:
            self._abandoned.add(prompt_id)

    def mark_wedged(self, prompt_id: str) -> None:
        """A node does not stop: use the server again when it has, or after a restart."""
        self._wedged = prompt_id

    @property
    def is_wedged(self) -> bool:
        """Whether a node there does not stop, so that whatever waits behind it will not start."""
        return self._wedged is not None

    def cancel_abandoned(self) -> None:
        """Take back what may have been queued while the server seemed to be away."""
        with self._lock:
            waiting = list(self._abandoned)
        for prompt_id in waiting:
            self._comfy.cancel(prompt_id)
            with self._lock:
                self._abandoned.discard(prompt_id)

    def _revive_if_dead(self) -> None:
        """Start the embedded server again when it died or hangs on a node."""
        if self._revive is None or (self._wedged is None and self._answers()):
            return
        if time.monotonic() - self._restarted > CALM:
            self._restarts = 0
        if self._restarts >= RESTARTS:
            return
        self._restarts += 1
        self._restarted = time.monotonic()
        self._wedged = None
        log.info("starting the embedded server again")
        self._revive()

    def _answers(self) -> bool:
        try:
            self._comfy.stats()
        except ServerError:
            return False
        return True

    def _still_wedged(self) -> bool:
        if self._wedged and self._comfy.find(self._wedged).where != "running":
            self._wedged = None
        return self._wedged is not None
