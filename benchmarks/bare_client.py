"""The least that a client can do: four loops that queue, listen, fetch and write.

No retries, no checks of what arrives, no ledger, no fsync: what the driver's care costs shows
beside it. Each loop has a websocket of its own.
"""

import http.client
import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import websocket

LOOPS = 4


def bare(graphs: list[dict], url: str, folder: Path, save_node: str, view: bool) -> float:
    """Seconds that `graphs` take; their images come by /view, or over the websocket."""
    host = urlsplit(url).netloc
    loops = [
        threading.Thread(target=_loop, args=(graphs[n::LOOPS], host, folder, save_node, view))
        for n in range(LOOPS)
    ]
    started = time.monotonic()
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    return time.monotonic() - started


def _loop(graphs: list[dict], host: str, folder: Path, save_node: str, view: bool) -> None:
    client_id = uuid.uuid4().hex
    socket = websocket.create_connection(f"ws://{host}/ws?clientId={client_id}")
    server = http.client.HTTPConnection(host)
    for graph in graphs:
        name = str(uuid.uuid4())
        prompt = {**graph, save_node: _saving(graph[save_node], name, view)}
        body = {"prompt": prompt, "prompt_id": name, "client_id": client_id}
        _answer(server, "POST", "/prompt", json.dumps(body))
        came = _until_end(socket, name)
        data = (
            _answer(server, "GET", f"/view?{urlencode(came)}") if isinstance(came, dict) else came
        )
        (folder / f"{name}.png").write_bytes(data)
    socket.close()


def _saving(node: dict, name: str, view: bool) -> dict:
    images = {"images": node["inputs"]["images"]}
    if not view:
        return {"class_type": "SaveImageWebsocket", "inputs": images}
    prefix = f"bare/{name[:3]}/{name}"
    return {"class_type": "SaveImage", "inputs": {**images, "filename_prefix": prefix}}


def _answer(server: http.client.HTTPConnection, *request: Any) -> bytes:
    server.request(*request)
    return server.getresponse().read()


def _until_end(socket: websocket.WebSocket, name: str) -> dict[str, str] | bytes:
    """The image, or the file that holds it, of the prompt `name`."""
    came: dict[str, str] | bytes = b""
    while True:
        message = socket.recv()
        if isinstance(message, bytes):
            came = message[8:]
            continue
        event = json.loads(message)
        data = event["data"]
        if event["type"] == "executed":
            came = data["output"]["images"][0]
        if event["type"] == "executing" and data["prompt_id"] == name and data["node"] is None:
            return came
