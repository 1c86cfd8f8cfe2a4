"""A loopback port that stays ours until the server has it."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.cache import cache_folder
from ...core.errors import InputError
from ...core.files import write_text_atomic

LOOPBACK = "127.0.0.1"


def kept_port() -> int:
    """The port that the kept server had last; 0 where none is noted."""
    try:
        number = int(_port_file().read_text())
    except (OSError, ValueError):
        return 0
    return number if 0 < number < 65536 else 0


def last_port() -> int:
    """`kept_port` if it can be had again; 0, for any free one, if it is taken."""
    number = kept_port()
    try:
        with reserve_port(number):
            return number
    except InputError:
        return 0


def keep_port(number: int) -> None:
    """Note the port, so that the next start has the same address."""
    write_text_atomic(_port_file(), f"{number}\n")


def _port_file() -> Path:
    return cache_folder() / "server_port"


@contextmanager
def reserve_port(number: int = 0) -> Iterator[int]:
    """A port of 127.0.0.1: `number`, or a free one for 0. Raises InputError when it is taken.

    On Linux a socket that is bound but does not listen keeps others from being given the port,
    while the server, which also sets SO_REUSEADDR, may bind it. Elsewhere it is let go at once.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((LOOPBACK, number))
        except OSError:
            raise InputError(
                f"Port {number} is taken. Choose another, or 0 for a free one."
            ) from None
        port = holder.getsockname()[1]
        if not sys.platform.startswith("linux"):
            holder.close()
        yield port
