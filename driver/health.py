"""Whether a server can be worked with: lost, probed with growing pauses, and found again."""

import logging
import threading
import time
from collections.abc import Callable

from ..core.errors import ManyshotError, ServerError
from .comfy import Comfy
from .listener import Listener

log = logging.getLogger(__name__)
PAUSES = (0.2, 0.5, 1, 2, 5, 10, 15)
RESTARTS = 10  # of the embedded server, one soon after the other
CALM = 600.0  # seconds without a restart after which they count anew


class Health:
    """One server's state. A thread of its own probes while the server is away.

    `check` is called each time the server answers again and raises ManyshotError when it may not
    be used (a model is missing, say). `revive` starts the embedded server anew when it died.
    """

    def __init__(
        self,
        comfy: Comfy,
        listener: Listener,
        check: Callable[[], None],
        revive: Callable[[], None] | None = None,
    ) -> None:
        self._comfy, self._listener, self._check, self._revive = comfy, listener, check, revive
        self._up = threading.Event()
        self._stop = threading.Event()
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._abandoned: set[str] = set()
        self._wedged: str | None = None
        self._restarts = 0
        self._restarted = time.monotonic()
        self.reason = "not asked yet"
        self.down_since = time.monotonic()
        self._thread = threading.Thread(target=self._probe, name="health", daemon=True)
        self._thread.start()
        self._wanted.set()

    @property
    def up(self) -> bool:
        return self._up.is_set()

    def wait_up(self, seconds: float) -> bool:
        """Whether the server can be used within `seconds`."""
        return self._up.wait(seconds)

    def lost(self, reason: str) -> None:
        """The server did not answer; probe it until it does."""
        with self._lock:
            if self._up.is_set():
                self._up.clear()
                self.down_since = time.monotonic()
            self.reason = reason
        self._wanted.set()

    def abandon(self, prompt_id: str) -> None:
        """A prompt that may or may not have been queued; cancelled once the server is back."""
        with self._lock:
            self._abandoned.add(prompt_id)

    def wedged(self, prompt_id: str) -> None:
        """A node does not stop: use the server again when it has, or after a restart."""
        self._wedged = prompt_id
        self.lost("A node does not end and does not react to an interrupt.")

    @property
    def is_wedged(self) -> bool:
        """Whether a node there does not stop, so that whatever waits behind it will not start."""
        return self._wedged is not None

    def stop(self) -> None:
        self._stop.set()
        self._wanted.set()

    def join(self) -> None:
        """Wait for the thread; what was abandoned is cancelled if the server can be reached."""
        self._thread.join()
        try:
            self._cancel_abandoned()
        except ServerError as error:
            log.info("cancelling what was left: %s", error)

    def _probe(self) -> None:
        while not self._stop.is_set():
            self._wanted.wait()
            self._wanted.clear()
            tries = 0
            while not self._stop.is_set() and not self._up.is_set():
                self._try_once()
                if not self._up.is_set():
                    self._stop.wait(PAUSES[min(tries, len(PAUSES) - 1)])
                    tries += 1

    def _try_once(self) -> None:
        try:
            self._revive_if_dead()
            self._comfy.stats()
            self._cancel_abandoned()
            if self._still_wedged():
                return
            if not self._listener.wait_open(0.5):
                self.reason = f"Its websocket does not open: {self._listener.problem}."
                return
            self._check()
        except ManyshotError as error:
            self.reason = str(error)
            return
        except Exception as error:  # without this thread the server would never be used again
            log.exception("probing")
            self.reason = f"manyshot itself failed ({error!r}); the log has more."
            return
        with self._lock:
            self._up.set()

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
        log.info("starting the embedded server again: %s", self.reason)
        self._revive()

    def _answers(self) -> bool:
        try:
            self._comfy.stats()
        except ServerError:
            return False
        return True

    def _cancel_abandoned(self) -> None:
        """Take back what may have been queued while the server seemed to be away."""
        with self._lock:
            waiting = list(self._abandoned)
        for prompt_id in waiting:
            self._comfy.cancel(prompt_id)
            with self._lock:
                self._abandoned.discard(prompt_id)

    def _still_wedged(self) -> bool:
        if self._wedged and self._comfy.find(self._wedged).where != "running":
            self._wedged = None
        return self._wedged is not None
