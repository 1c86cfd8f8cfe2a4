"""Where the events of one job wait for the lane that follows it."""

import contextlib
from collections import deque
from queue import Empty, SimpleQueue

from .events import Event

LOUD = {"ended", "raised", "interrupted"}


class Mailbox:
    """Events in their order; None says that the connection was lost.

    Only what may end the job wakes the lane. The other dozen events of a job wait for it: waking
    a thread costs more than reading them.
    """

    def __init__(self) -> None:
        self._events: deque[Event | None] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()

    def put(self, event: Event | None) -> None:
        self._events.append(event)
        if event is None or event.kind in LOUD:
            self._bell.put(None)

    def take(self, timeout: float) -> list[Event | None]:
        """What has come once something loud did, or `timeout` seconds are over."""
        with contextlib.suppress(Empty):
            self._bell.get(timeout=timeout)
        return [self._events.popleft() for _ in range(len(self._events))]
