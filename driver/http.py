"""HTTP with the manners a long run needs: connections kept alive, limits on time and size, and
every trouble as one of four errors.

On urllib3 itself: a job is one small request, and requests costs as much again on top of it.
"""

import math
import time
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError, SSLError

from ..core.errors import InputError, ServerError
from ..core.json_text import parse_json
from .connections import open_pool

if TYPE_CHECKING:  # types alone
    from .address import ServerAddress

MAX_JSON = 96 * 2**20
MAX_VALUES = 2_000_000  # in one JSON: as objects they take some 100 bytes each, however short
MAX_FILE = 96 * 2**20
CHUNK = 2**16
BUSY = {429, 502, 503, 504, *range(520, 525), 530}  # of a server or of what stands before it
LONGEST_PAUSE = 600.0  # seconds; a Retry-After may ask for more


class Unreachable(ServerError):
    """No whole answer came: connection refused, dropped, too slow, too long."""


class Refused(ServerError):
    """The server answered with an HTTP error. `body` is its JSON, or {} when it is none."""

    def __init__(self, message: str, status: int, body: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Busy(Refused):
    """Not now: too many requests, or a gateway without its server. The job is not to blame.

    `after`: seconds that the server asks to be left alone for.
    """

    def __init__(self, message: str, status: int, body: Any, after: float) -> None:
        super().__init__(message, status, body)
        self.after = after


class Http:
    """Requests to one server. Methods may be called from several threads at once."""

    def __init__(self, address: "ServerAddress", connect: float = 10, reply: float = 60) -> None:
        self.address = address
        self._connect, self._reply = connect, reply
        self._headers = auth_headers(address)
        self._hurried = -math.inf
        self._pool = open_pool(address, self._limit)

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
        """From now on wait at most `reply` seconds for a reply, also for those under way."""
        self._reply = min(self._reply, reply)
        self._hurried = time.monotonic()

    def close(self) -> None:
        self._pool.clear()

    def _limit(self, began: float) -> float:
        """When an exchange must be over; a hurry moves the end of those that were under way."""
        return math.inf if began > self._hurried else self._hurried + self._reply

    def _json(self, path: str, body: bytes) -> Any:
        if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
            raise Unreachable(f"{self._at(path)} answered more than {MAX_VALUES:,} JSON values.")
        try:
            return parse_json(body, len(body))
        except ValueError:
            shown = body[:60].decode("utf-8", "replace")
            raise Unreachable(
                f"{self._at(path)} did not answer with JSON but with {shown!r}."
            ) from None

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
        body = bytearray()
        # read1 gives what is there; anything else waits until CHUNK bytes have dripped in.
        while chunk := reply.read1(CHUNK, decode_content=True):
            body += chunk
            if len(body) > limit:
                raise Unreachable(f"{self._at(path)} answered more than {limit:,} bytes.")
            if time.monotonic() > deadline:
                raise Unreachable(f"{self._at(path)} did not finish in time.")
        return bytes(body)

    def _refusal(self, path: str, reply: urllib3.BaseHTTPResponse, body: bytes) -> Refused:
        try:
            parsed = parse_json(body)
        except ValueError:
            parsed = {}
        message = f"{self._at(path)} answered HTTP {reply.status}{_hint(reply)}."
        if reply.status in BUSY:
            return Busy(message, reply.status, parsed, _retry_after(reply))
        return Refused(message, reply.status, parsed)

    def _at(self, path: str) -> str:
        return f"The server {self.address.base_url}{path}"


def auth_headers(address: "ServerAddress") -> dict[str, str]:
    """The headers that let us in, secrets filled in. Raises InputError for a missing variable."""
    headers = {name: address.reveal(text) for name, text in address.headers.items()}
    if address.bearer:
        headers["Authorization"] = f"Bearer {address.reveal(address.bearer)}"
    if address.basic:
        coded = b64encode(address.reveal(address.basic).encode("utf-8")).decode("ascii")
        headers["Authorization"] = f"Basic {coded}"
    for name, value in headers.items():
        if not _can_be_sent(name + value):
            raise InputError(
                f"The header {name!r} for {address.base_url} contains a control character or "
                "one that HTTP cannot carry (beyond Latin-1); remove it."
            )
    return headers


def _can_be_sent(text: str) -> bool:
    return all(c == "\t" or " " <= c <= "~" or "\xa0" <= c <= "\xff" for c in text)


def _retry_after(reply: urllib3.BaseHTTPResponse) -> float:
    """Seconds of a Retry-After header, given as a number or a date (RFC 9110, 10.2.3); else 0."""
    text = reply.headers.get("retry-after", "").strip()
    try:
        seconds = float(text) if text.isdecimal() else _seconds_until(text)
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


def _hint(reply: urllib3.BaseHTTPResponse) -> str:
    if reply.status in (401, 403):
        return " (access denied: set 'bearer', 'basic' or 'headers' for this server)"
    if reply.status in (301, 302, 303, 307, 308):
        target = reply.headers.get("location", "?")
        advice = "; use that address" if urlsplit(target).scheme in ("http", "https") else ""
        return f" and points to {target[:200]!r}{advice}"
    return ""


def _cause(error: Exception) -> str:
    """The innermost reason, without the address and object names around it."""
    text = str(error)
    for reason in ("Connection refused", "Name or service not known", "Connection reset"):
        if reason in text:
            return reason.lower()
    if isinstance(error, SSLError):
        return "its TLS certificate is not trusted (set 'verify: CA file')"
    if isinstance(error, ConnectTimeoutError):
        return "no connection in time"
    if isinstance(error, ReadTimeoutError):
        return "no reply in time"
    return "the connection broke"
