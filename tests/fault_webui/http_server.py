"""HTTP of the stand-in, on threads of its own, with the faults of connections."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from .answers import answer
from .diary import Asked
from .faults import AFTER, BEFORE, WITHIN, Fault
from .job import Answered, problem
from .life import Life
from .serve import IMAGES, post
from .spoil import SPOIL
from .state import Gone
from .strikes import Broken, post_beside, strike_before, struck_after

LINGER = struct.pack("ii", 1, 0)
POOL = 40  # threads that the real one answers from: when that many wait, so does everybody


class Webui(Protocol):
    """What tells the HTTP server how to behave."""

    auth: str | None
    api: bool

    def taken(self, path: str, among: tuple[str, ...]) -> tuple[Fault, ...]: ...
    def flags(self) -> dict[str, Any]: ...


class HttpServer(ThreadingHTTPServer):
    """Listens for one life."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, webui: Webui, life: Life, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.webui, self.life = webui, life
        self.pool = threading.BoundedSemaphore(POOL)
        self._sockets: set[socket.socket] = set()
        thread = threading.Thread(
            target=self.serve_forever, args=(0.01,), name="webui", daemon=True
        )
        thread.start()

    def stop(self) -> None:
        """Break every connection and refuse new ones."""
        self.shutdown()
        self.server_close()
        for one in list(self._sockets):
            abort(one)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or a handshake that fails, is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *args: Any) -> None:
        """The diary has it."""

    def _serve(self, data: bytes | None) -> None:
        try:
            with self.server.pool:
                status, body = self._outcome(data)
        except Broken as broken:
            self._break(broken.body)
            return
        except Gone:
            self._break(b"")
            return
        self._send(status, body)

    def _outcome(self, data: bytes | None) -> tuple[int, Any]:
        """Status and body, bytes for HTML. Raises Broken or Gone where no reply comes."""
        path, webui, life = self.path.partition("?")[0], self.server.webui, self.server.life
        if path.startswith("/sdapi/") and not webui.api:
            return 404, {"detail": "Not Found"}
        try:
            body = _json(data)
            life.diary.asked.append(Asked(self.command, self.path, body, dict(self.headers)))
            strike_before(webui.taken(path, BEFORE))
            self._let_in(path)
            if data is None:
                told = answer(life, path, webui.flags())
            else:
                faults = webui.taken(path, (*WITHIN, *SPOIL)) if path in IMAGES else ()
                made = post_beside if webui.taken(path, ("impatient",)) else post
                told = made(life, path, body, faults)
        except Answered as answered:
            return answered.status, answered.body
        except (Broken, Gone):
            raise
        except Exception as error:  # noqa: BLE001 - so does the real one
            return 500, problem(str(error), type(error).__name__)
        return struck_after(webui.taken(path, AFTER), told)

    def _let_in(self, path: str) -> None:
        """--api-auth: for /sdapi only."""
        auth = self.server.webui.auth
        if auth is None or not path.startswith("/sdapi/"):
            return
        shown = self.headers.get("Authorization")
        if shown == f"Basic {b64encode(auth.encode()).decode()}":
            return
        self.server.life.diary.turned_away += 1
        detail = "Incorrect username or password" if shown else "Not authenticated"
        raise Answered(401, problem(detail))

    def _send(self, status: int, body: Any) -> None:
        page = isinstance(body, bytes)
        data = body if page else json.dumps(body).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if page else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def _break(self, body: bytes) -> None:
        """Send half of `body`, if there is one, and hang up."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            if body:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            self.connection.shutdown(socket.SHUT_RDWR)


def abort(connection: socket.socket) -> None:
    """Break it at once, without a farewell."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        connection.shutdown(socket.SHUT_RDWR)


def _json(data: bytes | None) -> Any:
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError as error:
        wrong = {"loc": ["body", 0], "msg": str(error), "type": "value_error.jsondecode"}
        raise Answered(422, {"detail": [wrong]}) from None
