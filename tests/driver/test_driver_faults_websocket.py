"""A websocket that drops, stays away, loses messages or brings nonsense."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from manyshot.driver.address import ServerAddress
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.targets.comfyui import follow_prompt, listener

from ..support.fault_proxy import FaultProxy, Message, Reply
from ..support.fault_runs import away, colours, drive, images, is_whole, queue, slow

pytestmark = pytest.mark.server
BOTH = pytest.mark.parametrize("transport", ["websocket", "view"])


@pytest.fixture
def proxy(comfyui: EmbeddedServer) -> Iterator[FaultProxy]:
    with FaultProxy(comfyui.url) as proxy:
        yield proxy


def kind_of(message: Message) -> str:
    """The type of a message; "image" for pictures."""
    return "image" if isinstance(message, bytes) else str(json.loads(message)["type"])


@BOTH
@pytest.mark.parametrize("after", [1, 17, 60])
def test_it_drops_again_and_again(
    tmp_path: Path, proxy: FaultProxy, comfyui: EmbeddedServer, transport: str, after: int
) -> None:
    proxy.drop_after, proxy.drops = after, 3 if after == 1 else 8
    nodes = slow(0.02)
    recipe = colours(tmp_path, [proxy.url], 60, nodes, transport=transport)
    summary = drive(recipe)
    assert (summary.exit_code, proxy.drops) == (0, 0)
    is_whole(recipe)
    assert queue(comfyui.url) == []


@BOTH
def test_it_stays_away_for_long(tmp_path: Path, proxy: FaultProxy, transport: str) -> None:
    """Longer than a job is tried: waiting for it is no try. HTTP works all the time."""

    def drop() -> None:
        proxy.refuse_websockets = True
        proxy.drop_websockets()

    def back() -> None:
        proxy.refuse_websockets = False

    recipe = colours(tmp_path, [proxy.url], 30, transport=transport, retries={"connection": 1})
    summary = drive(
        recipe, (images(5), drop), (away(), lambda: None),
        (lambda *_: proxy.turned_away >= 4, back),
    )  # fmt: skip
    assert summary.exit_code == 0
    is_whole(recipe)


def test_it_never_opens(tmp_path: Path, proxy: FaultProxy, comfyui: EmbeddedServer) -> None:
    proxy.refuse_websockets = True
    recipe = colours(tmp_path, [proxy.url], timeouts={"server_gone": 4})
    summary = drive(recipe)
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert "websocket does not open: it was answered HTTP 503" in summary.stopped
    assert (summary.counts.pending, queue(comfyui.url)) == (12, [])


@pytest.mark.parametrize("lost", ["executing", "executed", "execution_success", "execution_start"])
@BOTH
def test_it_loses_events(
    tmp_path: Path, proxy: FaultProxy, transport: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history is asked where an event does not come."""
    monkeypatch.setattr(follow_prompt, "ASK_AFTER", (0.5,))
    proxy.filter = lambda message: None if kind_of(message) == lost else message
    recipe = colours(tmp_path, [proxy.url], 5, transport=transport)
    summary = drive(recipe)
    assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
    is_whole(recipe)


@BOTH
def test_it_brings_nothing_at_all(tmp_path: Path, proxy: FaultProxy, transport: str) -> None:
    """Files are fetched all the same; pictures that were to come over it are missed."""
    proxy.filter = lambda message: None
    recipe = colours(
        tmp_path, [proxy.url], 4, transport=transport, retries={"connection": 0, "incomplete": 0}
    )
    summary = drive(recipe)
    assert summary.exit_code == (1 if transport == "websocket" else 0)
    is_whole(recipe, but={0, 1, 2, 3} if transport == "websocket" else set())


@pytest.mark.parametrize("lost", [1, 4, 12, 30, 100, 10_000])
def test_it_brings_damaged_pictures(tmp_path: Path, proxy: FaultProxy, lost: int) -> None:
    left = [lost] * 3

    def cut(message: Message) -> Message | None:
        return message[: -left.pop()] if kind_of(message) == "image" and left else message

    proxy.filter = cut
    recipe = colours(tmp_path, [proxy.url])
    summary = drive(recipe)
    assert (summary.exit_code, left) == (0, [])
    is_whole(recipe)


@pytest.mark.parametrize(
    "nonsense",
    [
        "", "{", "[]", "null", '{"type": []}', '{"type": "executed", "data": 5}',
        '{"type": "executed", "data": {"prompt_id": "PROMPT", "node": "9", "output": [1]}}',
        '{"type": "executed", "data": {"prompt_id": "PROMPT", "node": "9", "output": {"images": 5,'
        ' "manyshot": 5}}}',
        '{"type": "execution_error", "data": {"prompt_id": "PROMPT", "exception_message": [[]]}}',
        '{"type": "executing", "data": {"prompt_id": "PROMPT", "node": {}}}',
        '{"type": "executing", "data": {"prompt_id": "PROMPT", "node": null}}',
        '{"type": "execution_success", "data": {"prompt_id": "PROMPT"}}',
        b"", b"\0\0\0\4", b"\0\0\0\4\xff\xff\xff\xff", struct.pack(">II", 4, 2) + b"[]",
        struct.pack(">II", 4, 40) + b'{"prompt_id": "PROMPT", "node_id": "5"}x',
    ],
)  # fmt: skip
@BOTH
def test_it_brings_nonsense(
    tmp_path: Path, proxy: FaultProxy, transport: str, nonsense: Message
) -> None:
    """Three messages are replaced by nonsense; {PROMPT} is the prompt they were about."""
    left = [nonsense] * 3

    def spoil(message: Message) -> Message | None:
        if isinstance(message, bytes) or '"executed"' not in message or not left:
            return message
        prompt_id = json.loads(message)["data"]["prompt_id"]
        spoilt = left.pop()
        if isinstance(spoilt, bytes):
            return spoilt
        return spoilt.replace("PROMPT", prompt_id)

    proxy.filter = spoil
    recipe = colours(tmp_path, [proxy.url], transport=transport)
    assert drive(recipe).exit_code == 0
    is_whole(recipe)


def test_it_brings_more_than_fits(
    tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MAX_MESSAGE", 1_000_000)
    left = [b"x" * 2_000_000] * 2
    proxy.filter = lambda message: left.pop() if kind_of(message) == "image" and left else message
    recipe = colours(tmp_path, [proxy.url])
    assert drive(recipe).exit_code == 0
    assert not left
    assert proxy.sockets in (2, 3)  # both may come over one, which is then closed once
    is_whole(recipe)


def test_it_is_not_followed_elsewhere(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """A redirect would take the secret with it."""
    with FaultProxy(comfyui.url) as thief, FaultProxy(comfyui.url) as proxy:
        to = {"Location": f"{thief.url.replace('http', 'ws')}/ws"}
        proxy.on("/ws", instead=Reply(302, b"", to), times=2)
        thief.authorization = "Bearer of nothing"
        recipe = colours(tmp_path, [{"url": proxy.url, "bearer": "secret"}])
        assert drive(recipe).exit_code == 0
        assert (thief.sockets, thief.turned_away) == (0, 0)
        is_whole(recipe)


def test_it_is_open_only_when_the_server_has_heard_the_greeting(
    proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job queued earlier would get pictures that do not say whose they are."""
    monkeypatch.setattr(listener, "GREETING_SECONDS", 30.0)
    heard: list[str] = []

    def note(message: Message) -> Message:
        heard.append(kind_of(message))
        return message

    proxy.filter = note
    one = listener.Listener(ServerAddress(url=proxy.url))
    one.start()
    assert one.wait_open(30)
    one.close()
    assert "feature_flags" in heard
