"""A websocket client of a server, what a run of a graph said, and a small graph."""

import json
import struct
import uuid
from typing import Any

import requests
import websocket

from .patience import PATIENCE

PREVIEW_IMAGE_WITH_METADATA = 4


class Client:
    """One websocket client of a server: queues a graph and collects all it is told."""

    def __init__(self, url: str) -> None:
        self.url, self.client_id = url, uuid.uuid4().hex
        address = f"{url.replace('http', 'ws', 1)}/ws?clientId={self.client_id}"
        self.socket = websocket.create_connection(address, timeout=PATIENCE)

    def post(self, graph: dict[str, Any], **extra: Any) -> requests.Response:
        body = {"prompt": graph, "client_id": self.client_id, **extra}
        return requests.post(f"{self.url}/prompt", json=body, timeout=PATIENCE)

    def run(self, graph: dict[str, Any]) -> "Run":
        reply = self.post(graph)
        assert reply.status_code == 200, reply.text
        run = Run(reply.json()["prompt_id"])
        while run.hear(self.socket.recv()):
            pass
        history = requests.get(f"{self.url}/history/{run.prompt_id}", timeout=PATIENCE).json()
        run.outputs = history[run.prompt_id]["outputs"]
        return run

    def view(self, filename: str, subfolder: str, type: str = "output") -> bytes:
        query = {"filename": filename, "subfolder": subfolder, "type": type}
        reply = requests.get(f"{self.url}/view", params=query, timeout=PATIENCE)
        reply.raise_for_status()
        return reply.content

    def records(self, folder: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.view("metadata.jsonl", folder).splitlines()]


class Run:
    """What the server said about one prompt."""

    def __init__(self, prompt_id: str) -> None:
        self.prompt_id = prompt_id
        self.sent: list[tuple[dict[str, Any], bytes]] = []
        self.cached: list[str] = []
        self.error: str | None = None
        self.outputs: dict[str, Any] = {}

    def hear(self, message: str | bytes) -> bool:
        """Take in one message; False when it was the last."""
        if isinstance(message, bytes):
            self._hear_binary(message)
            return True
        event = json.loads(message)
        data = event["data"]
        if event["type"] == "execution_cached":
            self.cached = data["nodes"]
        if event["type"] == "execution_error":
            self.error = data["exception_message"]
        return not (event["type"] == "executing" and data["node"] is None)

    def _hear_binary(self, message: bytes) -> None:
        kind, length = struct.unpack(">II", message[:8])
        if kind == PREVIEW_IMAGE_WITH_METADATA:
            self.sent.append((json.loads(message[8 : 8 + length]), message[8 + length :]))


def graph(folder: str, **save: Any) -> dict[str, Any]:
    """Three classes with two images each; every image's colour is its seed."""
    return {
        "prompts": {
            "class_type": "ManyshotClassPrompts",
            "inputs": {
                "classes": "zebra\ncat: tabby cat\nmule",
                "templates": "a {class_name}\n{red|blue} {class_name} {context}",
                "contexts": "on grass\nindoors",
                "lists": "",
                "negative": "blurry {class_name}",
                "images_per_class": 2,
                "seed": 5,
            },
        },
        "images": {
            "class_type": "EmptyImage",
            "inputs": {"width": 32, "height": 24, "batch_size": 1, "color": ["prompts", 3]},
        },
        "mask": {
            "class_type": "SolidMask",
            "inputs": {"value": 200 / 255, "width": 32, "height": 24},
        },
        "save": {
            "class_type": "ManyshotSaveLabelled",
            "inputs": {
                "images": ["images", 0],
                "prompt": ["prompts", 0],
                "negative": ["prompts", 1],
                "class_name": ["prompts", 2],
                "seed": ["prompts", 3],
                "mask": ["mask", 0],
                "folder": folder,
                "name": "",
                "delivery": "folder",
            }
            | save,
        },
    }
