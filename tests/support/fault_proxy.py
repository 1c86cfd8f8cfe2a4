"""A proxy before a real ComfyUI that breaks what passes through it, as a test tells it.

with FaultProxy(comfyui.url) as proxy:
    proxy.on("/view", cut=20, times=3)     # three pictures arrive without their last 20 bytes
    proxy.drop_after = 40                  # every websocket breaks after 40 messages
    ...                                    # let a client work on proxy.url
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

Message = str | bytes
PER_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "upgrade"}


@dataclass(frozen=True)
class Reply:
    """What a server answers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """Of the body that an answer to HEAD tells of."""


@dataclass
class Rule:
    """What happens to requests whose path begins with `path`, `times` times (None: always).

    `instead` is answered without asking the server. `change` gets the server's body and gives the
    one that is passed on. `cut` bytes of the body are promised but never come. `endless` follows
    the headers for ever, a piece every `pause` seconds, with a `length` promised or without.
    `hold` keeps the reply back until it is set, or the client gives up.
    """

    path: str
    method: str = ""
    times: int | None = None
    instead: Reply | None = None
    change: Callable[[bytes], bytes] | None = None
    cut: int = 0
    endless: bytes = b""
    pause: float = 0.0
    length: int | None = None
    hold: asyncio.Event | None = None
    hits: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is one of those it is for; counts it if so."""
        fits = path.startswith(self.path) and self.method in ("", method)
        if not fits or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class FaultProxy:
    """HTTP and websocket proxy to `target`, on a thread of its own; TLS if given a context.

    Set before or while it works: `drop_after` (messages, per websocket), `drops` (how many
    websockets break so; None: all), `refuse_websockets`, `filter` (gets every message of the
    server; gives what is passed on, or None), `authorization` (the header that everybody must
    show). Counts: `sockets`, `turned_away`.
    """

    def __init__(self, target: str, tls: ssl.SSLContext | None = None) -> None:
        self.target, self._tls = target, tls
        self.drop_after: int | None = None
        self.drops: int | None = None
        self.refuse_websockets = False
        self.filter: Callable[[Message], Message | None] = lambda message: message
        self.authorization: str | None = None
        self.sockets = 0
        self.turned_away = 0
        self.port = 0
        self._rules: list[Rule] = []
        self._open: set[web.WebSocketResponse] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def on(self, path: str, method: str = "", hold: bool = False, **how: Any) -> Rule:
        """Add a rule; the first that takes a request is followed."""
        rule = Rule(path, method, hold=asyncio.Event() if hold else None, **how)
        self._rules.append(rule)
        return rule

    def release(self, rule: Rule) -> None:
        """Let go of the replies that `rule` holds back."""
        assert rule.hold is not None
        self._loop.call_soon_threadsafe(rule.hold.set)

    def clear(self) -> None:
        """Work without a fault from now on."""
        self._rules.clear()
        self.drop_after, self.refuse_websockets = None, False
        self.filter = lambda message: message

    def drop_websockets(self) -> None:
        """Break every open websocket now."""
        self._do(self._abort_sockets())

    def go_away(self) -> None:
        """Break every connection and refuse new ones."""
        self._do(self._stop_listening())

    def come_back(self) -> None:
        """Take connections again, at the same address."""
        self._do(self._listen())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> None:
        self._client = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, "localhost", self.port, ssl_context=self._tls)
        await self._site.start()
        if not self.port:
            self.port = self._runner.addresses[0][1]

    async def _stop_listening(self) -> None:
        await self._site.stop()
        assert self._runner.server is not None
        for connection in list(self._runner.server.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def _close(self) -> None:
        await self._abort_sockets()
        await self._runner.cleanup()
        await self._client.close()

    async def _abort_sockets(self) -> None:
        for socket in list(self._open):
            _abort(socket)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self.authorization and request.headers.get("Authorization") != self.authorization:
            self.turned_away += 1
            return web.Response(status=401, text="who are you?")
        method, path = request.method, request.path
        rule = next((rule for rule in self._rules if rule.takes(method, path)), Rule(path))
        if rule.instead is None and request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._relay(request)
        reply = rule.instead or await self._ask(request)
        if rule.hold is not None:
            await rule.hold.wait()
        if rule.change is not None:
            reply = Reply(reply.status, rule.change(reply.body), reply.headers)
        return await _send(request, reply, rule)

    async def _ask(self, request: web.Request) -> Reply:
        async with self._client.request(
            request.method,
            self.target + request.raw_path,
            headers=_passed_on(request.headers),
            data=await request.read(),
            allow_redirects=False,
        ) as reply:
            headers, length = _passed_on(reply.headers), reply.content_length
            return Reply(reply.status, await reply.read(), headers, length)

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        """Pass the messages of a websocket on, both ways, until one side ends or it has to."""
        if self.refuse_websockets:
            self.turned_away += 1
            return web.Response(status=503)
        self.sockets += 1
        near = web.WebSocketResponse(max_msg_size=0)
        await near.prepare(request)
        self._open.add(near)
        try:
            there = self.target + request.raw_path
            async with self._client.ws_connect(there, max_msg_size=0) as far:
                answers = asyncio.create_task(self._pass_on(far, near))
                async for message in near:
                    await far.send_str(message.data)
                answers.cancel()
        except (aiohttp.ClientError, ConnectionError):
            pass
        finally:
            self._open.discard(near)
            _abort(near)
        return near

    async def _pass_on(
        self, far: aiohttp.ClientWebSocketResponse, near: web.WebSocketResponse
    ) -> None:
        """The server's messages, filtered, until they are enough."""
        passed = 0
        with contextlib.suppress(ConnectionError):
            async for message in far:
                data = self.filter(message.data)
                if data is not None:
                    await _send_message(near, data)
                passed += 1
                if self.drop_after and passed >= self.drop_after and self.drops != 0:
                    self.drops = None if self.drops is None else self.drops - 1
                    break
        _abort(near)


async def _send(request: web.Request, reply: Reply, rule: Rule) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    whole = reply.length if request.method == "HEAD" else len(reply.body)
    response.content_length = rule.length if rule.endless else whole
    await response.prepare(request)
    while rule.endless:
        await response.write(rule.endless)
        await asyncio.sleep(rule.pause)
    await response.write(reply.body[: len(reply.body) - rule.cut])
    if rule.cut and request.transport is not None:
        request.transport.close()
    return response


async def _send_message(socket: web.WebSocketResponse, data: Message) -> None:
    if isinstance(data, bytes):
        await socket.send_bytes(data)
    else:
        await socket.send_str(data)


def _passed_on(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in PER_HOP}


def _abort(socket: web.WebSocketResponse) -> None:
    transport = socket._req.transport if socket._req is not None else None  # noqa: SLF001
    if transport is not None:
        transport.abort()
