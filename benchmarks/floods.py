"""The driver's memory against servers that send too much: `python benchmarks/floods.py`.

Each flood meets `manyshot run` as a process of its own, of which the peak of resident memory is
read. The graph makes one picture of 16x16 pixels; the server is tests/fake_comfyui/quick.py.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from rich.console import Console
from rich.table import Table
from soak import RUN, TESTS, write_recipes

sys.path.append(str(TESTS / "fake_comfyui"))

from quick import Quick, application, chunk, picture, send_picture  # noqa: E402  # pyright: ignore

MOST = 1000  # MB of resident memory
IMAGES, IMAGE_BYTES = 400, 20_000_000
JSON_BYTES = 240_000_000
SIDE = 13_000  # 169 megapixels


class Flood(Quick):
    """400 pictures of 20 MB each over the websocket, for one that was asked for."""

    async def draw(self, prompt_id: str, graph: Any, socket: Any) -> dict[str, Any]:
        data = picture(0, 16, 16) + bytes(IMAGE_BYTES)
        [node_id] = [i for i, node in graph.items() if node["class_type"].startswith("Save")]
        for _ in range(IMAGES):
            await send_picture(socket, prompt_id, node_id, data)
        return {}


class LongJson(Quick):
    """A list of node classes of 240 MB: empty lists, each of them an object in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.body = b'{"a": [' + b"[]," * (JSON_BYTES // 3) + b"0]}"

    async def catalogue(self, _: web.Request) -> web.Response:
        return web.Response(body=self.body, content_type="application/json")


class LongText(LongJson):
    """The same with one text of 240 MB."""

    def __init__(self) -> None:
        super().__init__()
        self.body = b'{"a": "' + b"x" * JSON_BYTES + b'"}'


class HugePicture(Quick):
    """A whole PNG of 169 megapixels, a few hundred kB as a file, for one of 16x16 pixels."""

    async def view(self, request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(huge_picture))


def huge_picture() -> bytes:
    packed = zlib.compressobj(1)
    rows = b"".join(packed.compress(bytes(1 + 3 * SIDE)) for _ in range(SIDE)) + packed.flush()
    size = SIDE.to_bytes(4, "big")
    header = size + size + bytes([8, 2, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


@contextmanager
def serving(quick: Quick) -> Iterator[str]:
    """Its address, while it answers on a thread of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    place: list[int] = []

    async def start() -> None:
        runner = web.AppRunner(application(quick))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        place.append(runner.addresses[0][1])
        ready.set()

    threading.Thread(target=loop.run_forever, daemon=True).start()
    asyncio.run_coroutine_threadsafe(start(), loop)
    ready.wait(60)
    yield f"http://127.0.0.1:{place[0]}"
    loop.call_soon_threadsafe(loop.stop)


def peak(make: Callable[[], Quick], transport: int) -> tuple[float, int, str]:
    """MB of resident memory at most, exit code and last words of a run."""
    with tempfile.TemporaryDirectory() as folder, serving(make()) as url:
        recipe = write_recipes(Path(folder), url, 1)[transport]
        said = Path(folder) / "said.txt"
        with said.open("wb") as out:
            command = [sys.executable, "-c", RUN, "run", str(recipe)]
            process = subprocess.Popen(command, stdout=out, stderr=out)
            memory = watched(process)
        words = said.read_text(errors="replace").replace(folder, "").split("\n")
        last = next((line for line in words if "sent" in line or "answered" in line), words[-2])
        return memory, process.returncode, last.strip()[:160]


def watched(process: subprocess.Popen[bytes]) -> float:
    """The peak of its resident memory in MB, by Linux's own count. (That of `wait4` would hold the
    memory of this process too, which the other was started from.)"""
    memory = 0.0
    while process.poll() is None:
        with suppress(OSError, LookupError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = float(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1000
            memory = max(memory, peak)
        time.sleep(0.01)
    return memory


def main() -> None:
    floods: dict[str, tuple[Callable[[], Quick], int]] = {
        f"websocket: {IMAGES} x {IMAGE_BYTES // 10**6} MB": (Flood, 0),
        f"JSON of {JSON_BYTES // 10**6} MB: lists": (LongJson, 1),
        f"JSON of {JSON_BYTES // 10**6} MB: one text": (LongText, 1),
        f"PNG of {SIDE * SIDE // 10**6} megapixels": (HugePicture, 1),
        "nothing but what was asked for": (Quick, 1),
    }
    chosen = [name for name in floods if not sys.argv[1:] or sys.argv[1] in name]
    table = Table("the server sends", "peak, MB", "exit code", "said")
    most = 0.0
    for name in chosen:
        memory, code, said = peak(*floods[name])
        table.add_row(name, f"{memory:.0f}", str(code), said)
        sys.stderr.write(json.dumps([name, round(memory), code, said]) + "\n")
        most = max(most, memory)
    Console(width=160).print(table)
    sys.exit(0 if most < MOST else 1)


if __name__ == "__main__":
    main()
