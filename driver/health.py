"""Whether a server can be worked with: lost, probed with growing pauses, and found again."""

import logging
import threading
import time
from collections.abc import Callable

from ..core.errors import ManyshotError

log = logging.getLogger(__name__)
PAUSES = (0.2, 0.5, 1, 2, 5, 10, 15)


class Health:
    """One server's state. A thread of its own probes while the server is away.

    `probe` is called until it raises nothing; ManyshotError says why the server may not be used.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        self._ask = probe
        self._up = threading.Event()
        self._stop = threading.Event()
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self.reason = "not asked yet"
        self.down_since = time.monotonic()
        self._thread = threading.Thread(target=self._probe, name="health", daemon=True)

    def start(self) -> None:
        """Begin to probe."""
        self._wanted.set()
        self._thread.start()

    @property
    def up(self) -> bool:
        return self._up.is_set()

    def wait_up(self, seconds: float) -> bool:
        """Whether the server can be used within `seconds`."""
        return self._up.wait(seconds)

    def lost(self, reason: str) -> None:
        """The server cannot be used; probe it until it can."""
        with self._lock:
            if self._up.is_set():
                self._up.clear()
                self.down_since = time.monotonic()
            self.reason = reason
        self._wanted.set()

    def stop(self) -> None:
        self._stop.set()
        self._wanted.set()

    def join(self) -> None:
        """Wait for the thread, if it was started."""
        if self._thread.ident is not None:
            self._thread.join()

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
            self._ask()
        except ManyshotError as error:
            self.reason = str(error)
            return
        except Exception as error:  # without this thread the server would never be used again
            log.exception("probing")
            self.reason = f"manyshot itself failed ({error!r}); the log has more."
            return
        with self._lock:
            self._up.set()
