"""What a ComfyUI server says on its websocket: parsed, and kept for its prompt."""

import contextlib
import struct
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any, Literal

from ....core.errors import ServerError
from ....core.json_text import parse_json

Kind = Literal[
    "started",
    "running",
    "alive",
    "output",
    "image",
    "flooded",
    "raised",
    "interrupted",
    "succeeded",
    "ended",
]
IMAGE_WITH_METADATA = 4
_PLAIN: dict[str, Kind] = {
    "execution_start": "started",
    "execution_cached": "alive",
    "progress": "alive",
    "progress_state": "alive",
    "execution_success": "succeeded",
    "execution_interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a prompt. `data` is the message's own JSON, unchecked."""

    kind: Kind
    prompt_id: str
    node_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    image: bytes = b""


def parse(message: str | bytes) -> Event | None:
    """The event in a websocket message; None for what is not about a prompt.

    Raises ServerError for what no ComfyUI would send.
    """
    try:
        return _binary(message) if isinstance(message, bytes) else _text(message)
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ServerError(
            f"The websocket sent a message that is not an event ({error!r})."
        ) from None


def _text(message: str) -> Event | None:
    parsed = parse_json(message)
    name, data = parsed["type"], parsed.get("data") or {}
    prompt_id = data.get("prompt_id")
    if not isinstance(prompt_id, str):
        return None
    if name in _PLAIN:
        return Event(_PLAIN[name], prompt_id)
    if name == "executing":
        node = data.get("node")
        return Event("ended" if node is None else "running", prompt_id, node)
    if name == "executed":
        return Event("output", prompt_id, str(data["node"]), _dict(data.get("output")))
    if name == "execution_error":
        return Event("raised", prompt_id, str(data.get("node_id")), data)
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _binary(message: bytes) -> Event | None:
    (number,) = struct.unpack_from(">I", message)
    if number != IMAGE_WITH_METADATA:
        return None
    (length,) = struct.unpack_from(">I", message, 4)
    data = parse_json(message[8 : 8 + length])
    prompt_id, node_id = data.get("prompt_id"), data.get("node_id")
    if not isinstance(prompt_id, str) or node_id is None:
        return None
    return Event("image", prompt_id, str(node_id), data, message[8 + length :])


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
