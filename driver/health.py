"""Whether a server can be worked with: lost, probed with growing pauses, and found again."""

import logging
import math
import random
import threading
import time
from collections.abc import Callable

from ..core.errors import ManyshotError

log = logging.getLogger(__name__)
PAUSES = (0.2, 0.5, 1, 2, 5, 10, 15)
JITTER = 0.25  # of a pause, more or less, so that many clients do not come back at one moment
STEADY = 10.0  # seconds up, without a job done, after which a loss is a new one


class Health:
    """One server's state. A thread of its own probes while the server is away.

    `probe` is called until it raises nothing; ManyshotError says why the server may not be used.
    A server that answers the probe and fails the next job is still the same loss: the pauses go on
    growing, and `down_since` stays.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        self._ask = probe
        self._up = threading.Event()
        self._stop = threading.Event()
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self.reason = "not asked yet"
        self.down_since = time.monotonic()
        self._up_since = -math.inf
        self._proven = True
        self._tries = 0
        self._not_before = 0.0
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

    def mark_lost(self, reason: str, after: float = 0.0) -> None:
        """The server cannot be used; probe it until it can, but not before `after` seconds."""
        now = time.monotonic()
        with self._lock:
            if self._up.is_set():
                self._up.clear()
                if self._proven or now - self._up_since >= STEADY:
                    self.down_since, self._tries = now, 0
                else:
                    after = max(after, self._next_pause())
                self._proven = False
            self._not_before = max(self._not_before, now + after)
            self.reason = reason
        self._wanted.set()

    def prove(self) -> None:
        """A job came back whole: whatever goes wrong from now on is a new loss."""
        self._proven = True

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
            while not self._stop.is_set() and not self._up.is_set():
                self._stop.wait(self._not_before - time.monotonic())
                if not self._stop.is_set():
                    self._try_once()
                if not self._up.is_set():
                    self._stop.wait(self._next_pause())

    def _next_pause(self) -> float:
        seconds = PAUSES[min(self._tries, len(PAUSES) - 1)]
        self._tries += 1
        return seconds * random.uniform(1 - JITTER, 1 + JITTER)

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
            self._up_since = time.monotonic()
            self._up.set()
