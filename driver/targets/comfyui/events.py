"""Websocket messages of ComfyUI as events. Pure: bytes in, a value or None out."""

import struct
from dataclasses import dataclass, field
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
