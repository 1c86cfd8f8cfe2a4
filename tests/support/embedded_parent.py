"""A program that uses the embedded server, for tests that end it in every way there is.

    python embedded_parent.py FAKE_COMFYUI HOW [ARGUMENT...]

It writes the ids of the server's processes as JSON, and ends when it reads a line. HOW is "end",
"raise", "exit", "wait" (for a signal), or "fork" (a child that holds all its files stays; it
waits too).
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from manyshot.driver.embedded import EmbeddedServer, ServerSettings


def main(comfyui: str, how: str, *arguments: str) -> None:
    settings = ServerSettings(comfyui=Path(comfyui), device="cpu", arguments=arguments)
    with EmbeddedServer(settings) as server:
        pids = [server.process.guardian, server.process.pid, *grandchildren(server.log)]
        if how == "fork" and os.fork() == 0:
            signal.pause()
        sys.stdout.write(json.dumps(pids) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()
        if how == "raise":
            raise RuntimeError("on purpose")
        if how == "exit":
            sys.exit(5)
        while how in ("wait", "fork"):
            time.sleep(0.05)  # signal.pause() would miss a signal that comes just before it


def grandchildren(log: Path) -> list[int]:
    lines = log.read_text().splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("grandchild")]


if __name__ == "__main__":
    main(*sys.argv[1:])
