"""Servers that drip, flood, or are busy: a run is over in time, small, and loses no job."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from pathlib import Path

import psutil
import pytest
import urllib3
from manyshot.core.loopback import is_loopback
from manyshot.driver import connections, delivered_images, health, http
from manyshot.driver.address import ServerAddress
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.job import Failure
from manyshot.driver.targets.comfyui import listener
from manyshot.driver.targets.comfyui.events import Event, Mailbox, images_taken

from ..support.fault_proxy import FaultProxy, Reply
from ..support.fault_runs import colours, drive, is_whole, slow

Answer = Callable[[socket.socket], None]


@contextmanager
def raw_server(answer: Answer) -> Iterator[str]:
    """A server whose every connection is handed to `answer`; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=[connection], daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with connection:
                try:
                    connection.recv(2**16)
                    answer(connection)
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def drip(pieces: Iterator[bytes]) -> Answer:
    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)

    return answer


HEADER = b"HTTP/1.1 200 OK\r\nX-Long: "
DRIPPING = {
    "status line": lambda: repeat(b"H"),
    "header": lambda: iter([HEADER, *[b"x"] * 10_000]),
    "headers": lambda: iter([b"HTTP/1.1 200 OK\r\n", *(b"X-%d: 1\r\n" % i for i in range(90))]),
    "100 Continue": lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk length": lambda: iter([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                  *[b"0"] * 10_000]),
    "nothing": lambda: repeat(b""),
}  # fmt: skip


@pytest.mark.parametrize("what", DRIPPING)
def test_an_exchange_ends_in_time_whatever_drips_in(what: str) -> None:
    with raw_server(drip(DRIPPING[what]())) as url:
        client = http.Http(ServerAddress(url=url), connect=1, reply=0.4)
        began = time.monotonic()
        with pytest.raises(http.Unreachable):
            client.get_json("/system_stats")
        assert time.monotonic() - began < 5


def test_a_stopped_run_does_not_wait_for_what_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOOK", 0.05)
    with raw_server(drip(DRIPPING["100 Continue"]())) as url:
        client = http.Http(ServerAddress(url=url), connect=1, reply=100)
        threading.Timer(0.2, client.hurry, [0.2]).start()
        with pytest.raises(http.Unreachable):
            client.get_json("/system_stats")


@pytest.mark.parametrize("what", ["status line", "header", "100 Continue"])
def test_a_websocket_that_drips_is_given_up(what: str) -> None:
    with raw_server(drip(DRIPPING[what]())) as url:
        ears = listener.Listener(ServerAddress(url=url), connect=0.2)
        ears.start()
        assert not ears.wait_open(1.5)
        assert ears.problem != "not tried yet"
        ears.close()


def reply_with(body: bytes) -> Answer:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


@pytest.mark.parametrize(
    "body",
    [b"[" + b"{}," * 20_000_000 + b"0]", b"[" + b"0," * 30_000_000 + b"0]",
     b'{"a": [' + b"[]," * 20_000_000 + b"0]}"],
)  # fmt: skip
def test_json_of_many_values_stays_small(body: bytes) -> None:
    with raw_server(reply_with(body)) as url:
        client = http.Http(ServerAddress(url=url))
        before = psutil.Process().memory_info().rss
        with pytest.raises(http.Unreachable, match="JSON values"):
            client.get_json("/history/x")
        assert psutil.Process().memory_info().rss - before < 400e6


def picture(number: int = 0, node: str = "9") -> Event:
    return Event("image", "p", node, {}, bytes(1000))


def test_a_flood_of_images_ends_the_job() -> None:
    box = Mailbox({"9"}, most=4, limit=10_000)
    for _ in range(6):
        box.put(picture())
    kinds = [event.kind for event in box.take(0) if event]
    assert kinds == ["image"] * 4 + ["flooded"] * 2
    tight = Mailbox({"9"}, most=400, limit=2_500)
    for _ in range(400):
        tight.put(picture())
    events = [event for event in tight.take(0) if event]
    assert sum(len(event.image) for event in events) == 2_000
    assert "2,500 bytes" in events[2].data["message"]


def test_images_of_a_workflow_that_makes_too_many_are_counted() -> None:
    box = Mailbox({"9"}, most=images_taken(1), limit=1_000_000)
    for _ in range(64):  # RepeatLatentBatch repeats as often at most
        box.put(picture())
    assert {event.kind for event in box.take(0) if event} == {"image"}


def test_images_of_other_nodes_are_not_kept() -> None:
    box = Mailbox({"9"}, most=1, limit=10_000)
    box.put(picture(node="5"))
    [event] = box.take(0)
    assert (event and event.kind, event and event.image) == ("alive", b"")


def test_a_picture_of_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (300, 200)).save(stream, "PNG")
    assert not isinstance(delivered_images.check_delivery((stream.getvalue(),), ()), Failure)
    monkeypatch.setattr(delivered_images, "MAX_PIXELS", 59_999)
    refused = delivered_images.check_delivery((stream.getvalue(),), ())
    assert isinstance(refused, Failure)
    assert "300x200 pixels" in refused.reason


RETRY_AFTER = [
    ("", 0.0), ("7", 7.0), ("1000000", http.LONGEST_PAUSE), ("-3", 0.0), ("soon", 0.0),
    ("9" * 400, http.LONGEST_PAUSE), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTER)
def test_retry_after_is_read(text: str, seconds: float) -> None:
    line = f"Retry-After: {text}\r\n" if text else ""
    head = f"HTTP/1.1 503 Busy\r\n{line}Content-Length: 0\r\n\r\n".encode()
    with raw_server(lambda connection: connection.sendall(head)) as url:
        with pytest.raises(http.Busy) as error:
            http.Http(ServerAddress(url=url)).get_json("/queue")
        assert error.value.after == seconds


def test_retry_after_is_read_as_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    head = f"HTTP/1.1 429 Slow\r\nRetry-After: {moment}\r\nContent-Length: 0\r\n\r\n".encode()
    with raw_server(lambda connection: connection.sendall(head)) as url:
        with pytest.raises(http.Busy) as error:
            http.Http(ServerAddress(url=url)).get_json("/queue")
        assert 50 < error.value.after <= 60


def test_a_flapping_server_is_left_alone_for_longer_and_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "PAUSES", (1, 2, 4))
    state = health.Health(lambda: None)
    state._up.set()  # noqa: SLF001
    state.mark_lost("first")
    since, pauses = state.down_since, []
    for _ in range(3):
        state._up_since = time.monotonic()  # noqa: SLF001
        state._up.set()  # noqa: SLF001
        state.mark_lost("again")
        pauses.append(state._not_before - time.monotonic())  # noqa: SLF001
    assert state.down_since == since
    assert [round(pause / 1.25, 1) <= limit for pause, limit in zip(pauses, (1, 2, 4), strict=True)]
    assert pauses == sorted(pauses)
    state._up.set()  # noqa: SLF001
    state.prove()
    state.mark_lost("new")
    assert state.down_since > since


@pytest.mark.parametrize(
    ("url", "loopback"),
    [("http://localhost:1", True), ("http://127.0.0.2:1/x", True), ("http://[::1]:2", True),
     ("http://a.localhost", True), ("http://LOCALHOST.:1", True), ("http://10.0.0.1", False),
     ("http://localhost.example.org", False), ("https://example.org", False)],
)  # fmt: skip
def test_loopback_goes_through_no_proxy(
    url: str, loopback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert is_loopback(url) == loopback
    pool = connections.open_pool(ServerAddress(url=url), lambda _: float("inf"))
    assert (pool.proxy is None) == loopback


@pytest.fixture
def proxy(comfyui: EmbeddedServer) -> Iterator[FaultProxy]:
    with FaultProxy(comfyui.url) as proxy:
        yield proxy


@pytest.mark.server
@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("path", ["/prompt", "/view", "/"])
def test_a_brown_out_costs_no_job_a_try(
    tmp_path: Path, proxy: FaultProxy, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PAUSES", (0.02, 0.05, 0.1))
    recipe = colours(tmp_path, [proxy.url], 20, slow(0.02), transport="view",
                     retries={"connection": 0, "incomplete": 0})  # fmt: skip

    def begin() -> None:
        proxy.on(path, "GET" if path == "/" else "", instead=Reply(status, b"busy"), times=12)

    summary = drive(recipe, (lambda progress, _: progress.images >= 4, begin))
    assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
    is_whole(recipe)


@pytest.mark.server
def test_a_server_that_is_busy_for_ever_ends_the_run(
    tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers the probe each time, and never takes a job."""
    monkeypatch.setattr(health, "PAUSES", (0.02, 0.1))
    rule = proxy.on("/prompt", "POST", instead=Reply(503, b""))
    recipe = colours(tmp_path, [proxy.url], 10, timeouts={"server_gone": 2})
    summary = drive(recipe)
    assert (summary.exit_code, summary.counts.pending, summary.counts.failed) == (1, 10, 0)
    assert summary.stopped is not None
    assert "HTTP 503" in summary.stopped
    assert rule.hits < 120


@pytest.mark.server
def test_a_secret_never_reaches_a_proxy_of_the_environment(
    tmp_path: Path, comfyui: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    with raw_server(lambda connection: seen.append(b"asked")) as thief:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, thief)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        server = {"url": comfyui.url, "bearer": "secret"}
        recipe = colours(tmp_path, [server], 3, timeouts={"server_gone": 20})
        assert drive(recipe).exit_code == 0
    assert seen == []
    is_whole(recipe)


@pytest.mark.server
@pytest.mark.parametrize("path", ["/system_stats", "/ws", "/api/queue", "/"])
@pytest.mark.parametrize(
    ("host", "status"),
    [("rebound.example.org:8188", 403), ("rebound.example.org", 403), ("", 403), ("[", 403),
     ("localhost:1", 0), ("127.0.0.1", 0), ("[::1]:7", 0)],
)  # fmt: skip
def test_the_embedded_server_answers_to_names_of_this_machine_only(
    comfyui: EmbeddedServer, path: str, host: str, status: int
) -> None:
    """A page whose name was rebound to 127.0.0.1 sends its own name as Host."""
    reply = urllib3.request("GET", comfyui.url + path, headers={"Host": host}, retries=False)
    assert reply.status == 403 if status else reply.status != 403
