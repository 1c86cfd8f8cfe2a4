"""A TCP proxy that holds every byte back: a server that is far away. Runs as its own process."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def far_away(port: int, round_trip: float) -> Iterator[str]:
    """The address of a proxy to 127.0.0.1:`port` that adds `round_trip` seconds to each reply."""
    command = [sys.executable, __file__, str(port), str(round_trip / 2)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(2**16):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


async def _serve(port: int, delay: float) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(
                _pump(reader, there_writer, delay), _pump(there_reader, writer, delay)
            )

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
