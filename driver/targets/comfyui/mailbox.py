"""Where the events of one job wait for the lane that follows it."""

import contextlib
from collections import deque
from collections.abc import Container
from dataclasses import replace
from queue import Empty, SimpleQueue

from .events import Event

SURPLUS = 128
LOUD = {"ended", "raised", "interrupted", "flooded"}


def images_taken(images: int) -> int:
    """How many images a mailbox takes of a job that is to bring `images`, each with a mask.

    Some more than that, so that a sentence can count those of a workflow that makes too many.
    """
    return 2 * images + SURPLUS


class Mailbox:
    """Events in their order; None says that the connection was lost.

    Images of other nodes than `nodes` are dropped, and so is what comes after `most` images or
    `limit` bytes of them: a server must not fill the memory. `size`: bytes of images so far.
    Only what may end the job wakes the lane. The other dozen events of a job wait for it: waking
    a thread costs more than reading them.
    """

    def __init__(self, nodes: Container[str], most: int, limit: int) -> None:
        self._nodes, self._most, self._limit = nodes, most, limit
        self._images = 0
        self.size = 0
        self._events: deque[Event | None] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()

    def put(self, event: Event | None) -> None:
        if event is not None and event.kind == "image":
            event = self._accept(event)
        self._events.append(event)
        if event is None or event.kind in LOUD:
            self._bell.put(None)

    def _accept(self, image: Event) -> Event:
        if image.node_id is None or image.node_id not in self._nodes:
            return replace(image, kind="alive", image=b"")
        self._images += 1
        self.size += len(image.image)
        if self._images > self._most:
            return self._refuse(image, f"more than {self._most} images")
        if self.size > self._limit:
            return self._refuse(image, f"more than {self._limit:,} bytes of images")
        return image

    def _refuse(self, image: Event, what: str) -> Event:
        message = f"The server sent {what} for one job."
        return replace(image, kind="flooded", image=b"", data={"message": message})

    def take(self, timeout: float) -> list[Event | None]:
        """What has come once something loud did, or `timeout` seconds are over."""
        with contextlib.suppress(Empty):
            self._bell.get(timeout=timeout)
        return [self._events.popleft() for _ in range(len(self._events))]
