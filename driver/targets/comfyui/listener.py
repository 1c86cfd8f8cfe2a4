"""Listens on a server's websocket and drops each event into its job's mailbox."""

import contextlib
import json
import logging
import ssl
import threading
import time
import uuid
from collections.abc import Container
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import websocket
from websocket import continuous_frame, frame_buffer

from ....core.errors import ServerError
from ....core.loopback import is_loopback
from ...connections import tls_options
from ...delivered_images import MOST_OF_A_JOB
from ...http import auth_headers
from ..backend import NotTaken
from .events import Mailbox, parse

if TYPE_CHECKING:  # types alone
    from ...address import ServerAddress

log = logging.getLogger(__name__)
PING_SECONDS = 20  # the server sends no heartbeat, and a dead line must not pass for a quiet one
GREETING_SECONDS = 2.0
BACKOFF = (0.2, 0.5, 1, 2, 5)
MAX_MESSAGE = 96 * 2**20
READ_AHEAD = 2**16
HELLO = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


class NotOpen(NotTaken):
    """The websocket is not open, so nothing may be queued."""


class Listener:
    """One websocket at a time, opened again when it drops, each time under a new client id.

    (A server that still holds the old socket of a client id closes the new one with it.)
    """

    def __init__(self, address: "ServerAddress", connect: float = 10) -> None:
        self._address, self._connect = address, connect
        self._boxes: dict[str, Mailbox] = {}
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._stop = threading.Event()
        self._socket: websocket.WebSocket | None = None
        self.client_id = ""
        self.problem = "not tried yet"
        self._thread = threading.Thread(
            target=self._run, name=f"ws {address.base_url}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Wake the listening thread, which closes its socket itself.

        Closed from another thread, the socket's file descriptor could be given to the next file
        that is opened while the read that was woken still goes on, and TLS would read from, or
        write its alert to, that file.
        """
        self._stop.set()
        if (socket := self._socket) is not None:
            _break_off(socket)
        self._thread.join(timeout=5)

    def wait_open(self, seconds: float) -> bool:
        """Whether the websocket is open within `seconds`."""
        return self._open.wait(seconds)

    def register(self, prompt_id: str, nodes: Container[str], most: int) -> tuple[Mailbox, str]:
        """A mailbox for a prompt about to be queued, and the client id to queue it under.

        It takes up to `most` images of `nodes`. Raises NotOpen when the websocket is not.
        """
        with self._lock:
            if not self._open.is_set():
                raise NotOpen(f"The websocket of {self._address.base_url} is not open.")
            box = self._boxes[prompt_id] = Mailbox(nodes, most, MOST_OF_A_JOB)
            return box, self.client_id

    def unregister(self, prompt_id: str) -> None:
        with self._lock:
            self._boxes.pop(prompt_id, None)

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                self._connect_once()
                tries = 0
                self._listen()
            except Exception as error:  # the websocket library lets anything through
                self.problem = _reason(error)
                if not self._stop.is_set():
                    log.info("websocket of %s: %s", self._address.base_url, self.problem)
            self._disconnect()
            self._stop.wait(BACKOFF[min(tries, len(BACKOFF) - 1)])
            tries += 1

    def _connect_once(self) -> None:
        client_id = str(uuid.uuid4())
        socket = self._socket = _Bounded(
            sslopt=tls_options(self._address), skip_utf8_validation=True, fire_cont_frame=False
        )
        socket.settimeout(self._connect)
        # The timeout bounds one read; a handshake that drips in would take for ever.
        guard = threading.Timer(2 * self._connect, _break_off, [socket])
        guard.start()
        try:
            self._shake_hands(socket, client_id)
        finally:
            guard.cancel()
        with self._lock:
            self.client_id = client_id
            self._open.set()

    def _shake_hands(self, socket: websocket.WebSocket, client_id: str) -> None:
        url = self._address.base_url
        socket.connect(
            _socket_address(url, client_id),
            header=[f"{name}: {value}" for name, value in auth_headers(self._address).items()],
            redirect_limit=0,  # it would carry our secrets to wherever it is sent
            **_proxy_options(url),
        )
        self._greet(socket)

    def _greet(self, socket: websocket.WebSocket) -> None:
        """Ask for pictures that name their job, and wait until the server has heard it.

        A job queued before that would get pictures without a name. A server that does not answer
        is used all the same: files can be fetched from it.
        """
        socket.send(HELLO)
        socket.settimeout(GREETING_SECONDS)
        deadline = time.monotonic() + GREETING_SECONDS
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            while time.monotonic() < deadline and not self._stop.is_set():
                opcode, message = socket.recv_data(control_frame=True)
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    raise ServerError("closed by the server")
                if b'"feature_flags"' in message[:100]:
                    return
        log.info("websocket of %s: no answer to our greeting", self._address.base_url)

    def _listen(self) -> None:
        socket = self._socket
        assert socket is not None
        socket.settimeout(PING_SECONDS)
        pinged = 0.0
        while not self._stop.is_set():
            try:
                opcode, message = socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                if pinged:
                    raise  # two silences in a row, a ping in between: the line is dead
                pinged = time.monotonic()
                socket.ping()
                continue
            pinged = 0.0
            self._dispatch(opcode, message)

    def _dispatch(self, opcode: int, message: bytes) -> None:
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise ServerError("closed by the server")
        if opcode == websocket.ABNF.OPCODE_TEXT:
            event = parse(message.decode("utf-8", "replace"))
        elif opcode == websocket.ABNF.OPCODE_BINARY:
            event = parse(message)
        else:
            return
        box = self._boxes.get(event.prompt_id) if event else None
        if box is not None:
            box.put(event)

    def _disconnect(self) -> None:
        """To be called by the listening thread alone: see `close`."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.shutdown()
        with self._lock:
            self._open.clear()
            for box in self._boxes.values():
                box.put(None)


def _proxy_options(url: str) -> dict[str, Any]:
    """None for loopback, else the environment's. (The library heeds exceptions only where a proxy
    is named, so one is, which is never asked.)"""
    if not is_loopback(url):
        return {}
    return {"http_proxy_host": "0.0.0.0", "http_proxy_port": 9, "http_no_proxy": ["*"]}


def _break_off(socket: websocket.WebSocket) -> None:
    """Wake the thread that reads from it, also in its handshake, where abort() does nothing."""
    if socket.sock is not None:
        with contextlib.suppress(OSError):
            socket.sock.shutdown(SHUT_RDWR)


class _Bounded(websocket.WebSocket):
    """A websocket that refuses messages which would fill the memory.

    It also reads ahead: the library asks the socket three times for each message, and each time
    costs this thread the interpreter, which other threads want too.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._ahead = b""
        self.frame_buffer = _Frames(self._recv, skip_utf8_validation=True)
        self.cont_frame = _Fragments(fire_cont_frame=False, skip_utf8_validation=True)

    def _recv(self, bufsize: int) -> bytes:
        if not self._ahead:
            self._ahead = super()._recv(max(bufsize, READ_AHEAD))
        chunk, self._ahead = self._ahead[:bufsize], self._ahead[bufsize:]
        return chunk


class _Frames(frame_buffer):
    def recv_length(self) -> None:
        super().recv_length()
        _check_size(self.length or 0)


class _Fragments(continuous_frame):
    def add(self, frame: websocket.ABNF) -> None:
        super().add(frame)
        _check_size(len(self.cont_data[1]) if self.cont_data else 0)


def _check_size(size: int) -> None:
    if size > MAX_MESSAGE:
        raise ServerError(f"a message of {size:,} bytes is too large")


def _reason(error: Exception) -> str:
    """Why there is no websocket, in a few words."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return f"it was answered HTTP {error.status_code}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its TLS certificate is not trusted (set 'verify: CA file')"
    return str(error)[:200] or type(error).__name__


def _socket_address(url: str, client_id: str) -> str:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}[parts.scheme]
    path = f"{parts.path.rstrip('/')}/ws"
    return urlunsplit((scheme, parts.netloc, path, f"clientId={client_id}", ""))
