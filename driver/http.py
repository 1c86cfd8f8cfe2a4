"""HTTP with the manners a long run needs: connections kept alive, limits on time and size, and
every trouble as one of three errors.

On urllib3 itself: a job is one small request, and requests costs as much again on top of it.
"""

import json
import ssl
import time
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError, SSLError

from ..core.errors import InputError, ServerError
from .address import ServerAddress

MAX_JSON = 256 * 2**20
MAX_FILE = 512 * 2**20
CHUNK = 2**16


class Unreachable(ServerError):
    """No whole answer came: connection refused, dropped, too slow, too long."""


class Refused(ServerError):
    """The server answered with an HTTP error. `body` is its JSON, or {} when it is none."""

    def __init__(self, message: str, status: int, body: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Http:
    """Requests to one server. Methods may be called from several threads at once."""

    def __init__(self, address: ServerAddress, connect: float = 10, reply: float = 60) -> None:
        self.address = address
        self._connect, self._reply = connect, reply
        self._headers = auth_headers(address)
        self._pool = _pool(address)

    def get_json(self, path: str) -> Any:
        """The JSON at `path`. Raises Unreachable or Refused."""
        return self._json(path, self._body("GET", path, MAX_JSON))

    def post_json(self, path: str, data: Any, patience: float | None = None) -> Any:
        """The JSON reply to `data`; None for an empty reply. Raises Unreachable or Refused.

        `patience`: seconds for this reply, where the server answers only when its work is done.
        """
        body = self._body("POST", path, MAX_JSON, patience, json=data)
        return self._json(path, body) if body else None

    def get_file(self, path: str, query: dict[str, str]) -> bytes:
        """The bytes at `path`. Raises Unreachable or Refused."""
        return self._body("GET", path, MAX_FILE, fields=query)

    def post_file(self, path: str, name: str, data: bytes, form: dict[str, str]) -> Any:
        """Upload `data` as form field "image". Raises Unreachable or Refused."""
        fields = {**form, "image": (name, data, "application/octet-stream")}
        return self._json(path, self._body("POST", path, MAX_JSON, fields=fields))

    def file_size(self, path: str, query: dict[str, str]) -> int | None:
        """The length of the file at `path`; None where the server does not say. Raises
        Unreachable, or Refused where we are not let in."""
        try:
            reply = self._request("HEAD", path, self._reply, fields=query)
            with closing(reply):
                reply.drain_conn()
        except (HTTPError, OSError) as error:
            raise Unreachable(f"{self._at(path)} did not answer: {_cause(error)}.") from None
        if reply.status in (401, 403):
            raise self._refusal(path, reply, b"")
        length = reply.headers.get("content-length", "")
        return int(length) if reply.status == 200 and length.isdecimal() else None

    def hurry(self, reply: float) -> None:
        """From now on wait at most `reply` seconds for a reply."""
        self._reply = min(self._reply, reply)

    def close(self) -> None:
        self._pool.clear()

    def _json(self, path: str, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            shown = body[:60].decode("utf-8", "replace")
            raise Unreachable(f"{self._at(path)} answered no JSON but {shown!r}.") from None

    def _body(
        self, method: str, path: str, limit: int, patience: float | None = None, **request: Any
    ) -> bytes:
        seconds = self._reply if patience is None else patience
        deadline = time.monotonic() + seconds
        try:
            reply = self._request(method, path, seconds, **request)
            with closing(reply):  # only a reply read to its end leaves a connection to keep
                body = self._read(reply, path, limit, deadline)
        except (HTTPError, OSError) as error:
            raise Unreachable(f"{self._at(path)} did not answer: {_cause(error)}.") from None
        if reply.status != 200:
            raise self._refusal(path, reply, body)
        return body

    def _request(
        self, method: str, path: str, seconds: float, **request: Any
    ) -> urllib3.BaseHTTPResponse:
        return self._pool.request(
            method,
            self.address.base_url + path,
            headers=self._headers,
            timeout=urllib3.Timeout(connect=self._connect, read=seconds),
            retries=False,
            redirect=False,
            preload_content=False,
            **request,
        )

    def _read(
        self, reply: urllib3.BaseHTTPResponse, path: str, limit: int, deadline: float
    ) -> bytes:
        parts: list[bytes] = []
        size = 0
        # read1 gives what is there; anything else waits until CHUNK bytes have dripped in.
        while part := reply.read1(CHUNK, decode_content=True):
            size += len(part)
            if size > limit:
                raise Unreachable(f"{self._at(path)} answered more than {limit:,} bytes.")
            if time.monotonic() > deadline:
                raise Unreachable(f"{self._at(path)} did not finish in time.")
            parts.append(part)
        return b"".join(parts)

    def _refusal(self, path: str, reply: urllib3.BaseHTTPResponse, body: bytes) -> Refused:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            parsed = {}
        message = f"{self._at(path)} answered HTTP {reply.status}{_hint(reply)}."
        return Refused(message, reply.status, parsed)

    def _at(self, path: str) -> str:
        return f"The server {self.address.base_url}{path}"


def auth_headers(address: ServerAddress) -> dict[str, str]:
    """The headers that let us in, secrets filled in. Raises InputError for a missing variable."""
    headers = {name: address.revealed(text) for name, text in address.headers.items()}
    if address.bearer:
        headers["Authorization"] = f"Bearer {address.revealed(address.bearer)}"
    if address.basic:
        coded = b64encode(address.revealed(address.basic).encode("utf-8")).decode("ascii")
        headers["Authorization"] = f"Basic {coded}"
    if any("\n" in value or "\r" in value for value in headers.values()):
        raise InputError(f"A header for {address.base_url} holds a line break; take it out.")
    return headers


def tls_options(address: ServerAddress) -> dict[str, Any]:
    """The same TLS rules for the websocket."""
    if address.verify is False:
        return {"cert_reqs": ssl.CERT_NONE, "check_hostname": False}
    trusted = Path(DEFAULT_CA_BUNDLE_PATH if address.verify is True else address.verify)
    return {"ca_cert_path" if trusted.is_dir() else "ca_certs": str(trusted)}


def _pool(address: ServerAddress) -> urllib3.PoolManager:
    """Connections to a server, through the environment's proxy if there is one for it.

    No .netrc: its secrets are not meant for us. Raises InputError for a CA file that is not there.
    """
    options: dict[str, Any] = {"maxsize": 64, **_trust(address)}
    proxies = get_environ_proxies(address.base_url, no_proxy=None)
    proxy = select_proxy(address.base_url, proxies)
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def _trust(address: ServerAddress) -> dict[str, str]:
    """What urllib3 takes for `verify`."""
    if address.verify is False:
        return {"cert_reqs": "CERT_NONE"}
    trusted = Path(DEFAULT_CA_BUNDLE_PATH if address.verify is True else address.verify)
    if not trusted.exists():
        raise InputError(f"{address.base_url}: there is no CA file {trusted} ('verify').")
    return {"cert_reqs": "CERT_REQUIRED", _ca_option(trusted): str(trusted)}


def _ca_option(trusted: Path) -> str:
    return "ca_cert_dir" if trusted.is_dir() else "ca_certs"


def _hint(reply: urllib3.BaseHTTPResponse) -> str:
    if reply.status in (401, 403):
        return " (not allowed in: give 'bearer', 'basic' or 'headers' for this server)"
    if reply.status in (301, 302, 303, 307, 308):
        return f" and points to {reply.headers.get('location', '?')[:200]!r}; use that address"
    return ""


def _cause(error: Exception) -> str:
    """The innermost reason, without the address and object names around it."""
    text = str(error)
    for known in ("Connection refused", "Name or service not known", "Connection reset"):
        if known in text:
            return known.lower()
    if isinstance(error, SSLError):
        return "its TLS certificate is not trusted (give 'verify: CA file')"
    if isinstance(error, ConnectTimeoutError):
        return "no connection in time"
    if isinstance(error, ReadTimeoutError):
        return "no reply in time"
    return "the connection broke"
