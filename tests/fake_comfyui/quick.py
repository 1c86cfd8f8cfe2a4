"""Draws pictures of one colour, and speaks ComfyUI's API about it. It is no ComfyUI.

A soak sends it hundreds of thousands of jobs: EmptyImage, then SaveImage or SaveImageWebsocket. It
forgets queue and history when it ends, as ComfyUI does. POST /brown-out?seconds=N: everything is
answered HTTP 503 for so long.
"""

import argparse
import asyncio
import json
import struct
import time
import zlib
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

REMEMBERED = 10_000  # prompts in the history, as ComfyUI has it
IMAGE_WITH_METADATA = 4
SIZE = ["INT", {"default": 64, "min": 1, "max": 16384}]
COLOUR = ["INT", {"default": 0, "min": 0, "max": 0xFFFFFF}]


def node(output: list[str], is_output: bool, **inputs: Any) -> dict[str, Any]:
    return {"input": {"required": inputs}, "output": output, "output_node": is_output}


NODES = {
    "EmptyImage": node(["IMAGE"], False, width=SIZE, height=SIZE, batch_size=SIZE, color=COLOUR),
    "SaveImage": node([], True, images=["IMAGE"], filename_prefix=["STRING", {}]),
    "SaveImageWebsocket": node([], True, images=["IMAGE"]),
}


class Quick:
    """One server: what waits, what is over, and who listens."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.history: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.listening: dict[str, web.WebSocketResponse] = {}
        self.bell = asyncio.Event()
        self.busy_until = 0.0

    @web.middleware
    async def answer_busy(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if time.monotonic() < self.busy_until:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return await handler(request)

    async def brown_out(self, request: web.Request) -> web.Response:
        self.busy_until = time.monotonic() + float(request.query["seconds"])
        return web.Response()

    async def catalogue(self, _: web.Request) -> web.Response:
        return web.json_response(NODES)

    async def stats(self, _: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": "0.3.75"}, "devices": []})

    async def prompt(self, request: web.Request) -> web.Response:
        data = await request.json()
        self.waiting[data["prompt_id"]] = data
        self.bell.set()
        return web.json_response({"prompt_id": data["prompt_id"], "number": 1, "node_errors": {}})

    async def queue(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            for prompt_id in (await request.json()).get("delete", []):
                self.waiting.pop(prompt_id, None)
            return web.Response()
        pending = [[0, prompt_id] for prompt_id in self.waiting]
        return web.json_response({"queue_running": [], "queue_pending": pending})

    async def forget(self, request: web.Request) -> web.Response:
        for prompt_id in (await request.json()).get("delete", []):
            self.history.pop(prompt_id, None)
        return web.Response()

    async def entry(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["prompt_id"]
        entries = {prompt_id: self.history[prompt_id]} if prompt_id in self.history else {}
        return web.json_response(entries)

    async def view(self, request: web.Request) -> web.Response:
        colour, width, height = request.query["filename"].split(".")[0].split("_")[-3:]
        return web.Response(body=picture(int(colour), int(width), int(height)))

    async def done(self, _: web.Request) -> web.Response:
        return web.Response()

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        client_id = request.query["clientId"]
        self.listening[client_id] = socket
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_json({"type": "feature_flags", "data": {}})
        self.listening.pop(client_id, None)
        return socket

    async def work(self) -> None:
        """Every prompt, one after the other, for as long as the server lives."""
        while True:
            await self.bell.wait()
            while self.waiting:
                prompt_id, data = self.waiting.popitem(last=False)
                socket = self.listening.get(data["client_id"])
                outputs = await self.draw(prompt_id, data["prompt"], socket)
                status = {"status_str": "success", "completed": True, "messages": []}
                self.history[prompt_id] = {"outputs": outputs, "status": status}
                if len(self.history) > REMEMBERED:
                    self.history.popitem(last=False)
                await tell(socket, "execution_success", prompt_id)
                await tell(socket, "executing", prompt_id, node=None)
            self.bell.clear()

    async def draw(
        self, prompt_id: str, graph: dict[str, Any], socket: web.WebSocketResponse | None
    ) -> dict[str, Any]:
        """The outputs of a graph, its events and pictures sent on the way."""
        await tell(socket, "execution_start", prompt_id)
        [size] = [n["inputs"] for n in graph.values() if n["class_type"] == "EmptyImage"]
        [(node_id, save)] = [(i, n) for i, n in graph.items() if n["class_type"] in SAVING]
        await tell(socket, "executing", prompt_id, node=node_id)
        drawn = (size["color"], size["width"], size["height"])
        if save["class_type"] == "SaveImageWebsocket":
            await send_picture(socket, prompt_id, node_id, picture(*drawn))
            return {}
        name = "_".join(map(str, drawn))
        prefix = save["inputs"]["filename_prefix"].rpartition("/")[2]
        file = {"filename": f"{prefix}_{name}.png", "subfolder": "", "type": "output"}
        await tell(socket, "executed", prompt_id, node=node_id, output={"images": [file]})
        return {node_id: {"images": [file]}}


SAVING = {"SaveImage", "SaveImageWebsocket"}


async def tell(
    socket: web.WebSocketResponse | None, kind: str, prompt_id: str, **data: Any
) -> None:
    if socket is not None and not socket.closed:
        with suppress(ConnectionError):  # of a client that was killed just now
            await socket.send_json({"type": kind, "data": {"prompt_id": prompt_id, **data}})


async def send_picture(
    socket: web.WebSocketResponse | None, prompt_id: str, node_id: str, data: bytes
) -> None:
    where = json.dumps({"prompt_id": prompt_id, "node_id": node_id}).encode()
    if socket is not None and not socket.closed:
        head = struct.pack(">II", IMAGE_WITH_METADATA, len(where))
        with suppress(ConnectionError):
            await socket.send_bytes(head + where + data)


def picture(colour: int, width: int, height: int) -> bytes:
    """A PNG of one colour."""
    rows = (b"\0" + colour.to_bytes(3, "big") * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + checksum


def application(quick: Quick) -> web.Application:
    app = web.Application(middlewares=[quick.answer_busy], client_max_size=2**24)
    app.router.add_post("/brown-out", quick.brown_out)
    app.router.add_get("/object_info", quick.catalogue)
    app.router.add_get("/system_stats", quick.stats)
    app.router.add_get("/ws", quick.socket)
    app.router.add_post("/prompt", quick.prompt)
    app.router.add_get("/queue", quick.queue)
    app.router.add_post("/queue", quick.queue)
    app.router.add_post("/history", quick.forget)
    app.router.add_get("/history/{prompt_id}", quick.entry)
    app.router.add_get("/view", quick.view)
    app.router.add_post("/interrupt", quick.done)
    app.router.add_post("/free", quick.done)

    async def start(app: web.Application) -> None:
        app["work"] = asyncio.create_task(quick.work())

    app.on_startup.append(start)
    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    web.run_app(application(Quick()), host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
