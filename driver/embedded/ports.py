"""A loopback port that stays ours until the server has it."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ...core.errors import InputError

LOOPBACK = "127.0.0.1"


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
