"""A TCP proxy that reads along and writes down each picture that is uploaded through it.

Runs as its own process.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

NAME = re.compile(rb'name="image"; filename="([0-9a-f]{32}\.png)"')
LONGEST = 128  # bytes of such a text


@contextmanager
def counted(target: str, log: Path) -> Iterator[str]:
    """The address of a proxy to `target` that writes each picture's name and time into `log`."""
    log.touch()
    command = [sys.executable, __file__, target, str(log)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _read_along(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: Path
) -> None:
    window = b""
    while data := await reader.read(2**16):
        window += data
        while match := NAME.search(window):
            with log.open("a") as file:
                file.write(f"{match[1].decode()} {time.time()}\n")
            window = window[match.end() :]
        window = window[-LONGEST:]
        writer.write(data)
        await writer.drain()
    writer.close()


async def _serve(target: str, log: Path) -> None:
    parts = urlsplit(target)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(
            _read_along(reader, back, log), _pass_on(there, writer), return_exceptions=True
        )

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
