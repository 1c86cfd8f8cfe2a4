"""Connections to one server: kept alive, trusted by stated rules, and none without a deadline."""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..core.errors import InputError
from ..core.loopback import is_loopback

if TYPE_CHECKING:  # types alone
    from .address import ServerAddress

LOOK = 1.0  # seconds between two looks at the deadline, which a stopped run moves forward
Limit = Callable[[float], float]
"""The latest end of an exchange that began at a moment, both as time.monotonic gives them."""


def open_pool(address: "ServerAddress", limit: Limit) -> urllib3.PoolManager:
    """Connections to a server, through the environment's proxy if there is one for it.

    Loopback goes through no proxy, which would see the secrets meant for this machine. Replies
    must end before their read timeout is over and before `limit`, whatever drips in. No .netrc:
    its secrets are not meant for us. Raises InputError for a missing CA file.
    """
    options: dict[str, Any] = {"maxsize": 64, **_trust(address)}
    proxy = None if is_loopback(address.base_url) else _environment_proxy(address)
    pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    pool.pool_classes_by_scheme = {
        "http": _make_timed_pool(HTTPConnectionPool, HTTPConnection, limit),
        "https": _make_timed_pool(HTTPSConnectionPool, HTTPSConnection, limit),
    }
    return pool


def tls_options(address: "ServerAddress") -> dict[str, Any]:
    """The same TLS rules for the websocket."""
    if address.verify is False:
        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    trusted = Path(DEFAULT_CA_BUNDLE_PATH if address.verify is True else address.verify)
    return {"ca_cert_path" if trusted.is_dir() else "ca_certs": str(trusted)}


def _environment_proxy(address: "ServerAddress") -> str | None:
    return select_proxy(address.base_url, get_environ_proxies(address.base_url, no_proxy=None))


def _trust(address: "ServerAddress") -> dict[str, str]:
    """What urllib3 takes for `verify`."""
    if address.verify is False:
        return {"cert_reqs": "CERT_NONE"}
    trusted = Path(DEFAULT_CA_BUNDLE_PATH if address.verify is True else address.verify)
    if not trusted.exists():
        raise InputError(f"{address.base_url}: there is no CA file {trusted} ('verify').")
    option = "ca_cert_dir" if trusted.is_dir() else "ca_certs"
    return {"cert_reqs": "CERT_REQUIRED", option: str(trusted)}


def _make_timed_pool(pool: type[Any], connection: type[Any], limit: Limit) -> type[Any]:
    """A pool class whose replies end at a deadline.

    A socket's timeout bounds one read, and so does urllib3's: a header line that drips, or
    endless "100 Continue", would hold a thread for ever.
    """

    class TimedConnection(connection):
        def response_class(self, sock: socket.socket, **options: Any) -> http.client.HTTPResponse:
            began = time.monotonic()
            deadline = lambda: min(began + self.timeout, limit(began))  # noqa: E731
            response = http.client.HTTPResponse(sock, **options)
            buffered = cast("io.BufferedReader", response.fp)
            response.fp = io.BufferedReader(_TimedReader(buffered.detach(), sock, deadline))
            return response

    return type(f"Timed{pool.__name__}", (pool,), {"ConnectionCls": TimedConnection})


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a deadline that may move; `raw` is the socket's own file."""

    def __init__(
        self, raw: io.RawIOBase, sock: socket.socket, deadline: Callable[[], float]
    ) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while (remaining := self._deadline() - time.monotonic()) > 0:
            self._sock.settimeout(min(remaining, LOOK))
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                continue
        raise TimeoutError("timed out")

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
