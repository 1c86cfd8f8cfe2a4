"""A server that answers nonsense, too late, too much or for ever: the dataset is whole all the
same, or the run says what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import ManyshotError
from manyshot.driver import http
from manyshot.driver.embedded import EmbeddedServer
from urllib3 import HTTPResponse

from ..support.fault_proxy import FaultProxy, Reply
from ..support.fault_runs import colours, drive, graph, is_whole, queue, slow, wait_for

pytestmark = pytest.mark.server
BOTH = pytest.mark.parametrize("transport", ["websocket", "view"])
NONSENSE = {
    "html": Reply(200, b"<html>It works!</html>", {"Content-Type": "text/html"}),
    "list": Reply(200, b"[]"),
    "object": Reply(200, b'{"prompt": 1}'),
    "nothing": Reply(200, b""),
    "deep": Reply(200, b"[" * 100_000),
    "error": Reply(500, b"oops"),
    "gateway": Reply(502, b"<html>Bad gateway</html>"),
    "forbidden": Reply(401, b"no"),
    "elsewhere": Reply(302, b"", {"Location": "http://127.0.0.1:1/"}),
}


@pytest.fixture
def proxy(comfyui: EmbeddedServer) -> Iterator[FaultProxy]:
    with FaultProxy(comfyui.url) as proxy:
        yield proxy


@BOTH
def test_a_run_without_a_fault(tmp_path: Path, comfyui: EmbeddedServer, transport: str) -> None:
    recipe = colours(tmp_path, [comfyui.url], transport=transport)
    summary = drive(recipe)
    assert (summary.exit_code, summary.stopped, dict(summary.progress.tries)) == (0, None, {})
    is_whole(recipe)


@pytest.mark.parametrize("what", NONSENSE)
def test_prompts_are_answered_with_nonsense(tmp_path: Path, proxy: FaultProxy, what: str) -> None:
    rule = proxy.on("/prompt", "POST", instead=NONSENSE[what], times=5)
    recipe = colours(tmp_path, [proxy.url])
    summary = drive(recipe)
    assert (summary.exit_code, rule.hits) == (0, 5)
    assert summary.progress.tries["connection"] == (0 if what == "gateway" else 5)  # busy is no try
    is_whole(recipe)


@pytest.mark.parametrize("what", [*NONSENSE, "types"])
def test_questions_are_answered_with_nonsense(tmp_path: Path, proxy: FaultProxy, what: str) -> None:
    types = Reply(200, b'{"queue_running": 5, "queue_pending": [[1, []], 7, null]}')
    instead = {**NONSENSE, "types": types}[what]
    rules = [proxy.on(path, "GET", instead=instead, times=3) for path in ("/history", "/queue")]
    proxy.drop_after, proxy.drops = 20, 5  # so that it asks
    nodes = slow(0.05)
    recipe = colours(tmp_path, [proxy.url], 30, nodes, transport="view")
    assert drive(recipe).exit_code == 0
    assert all(rule.hits for rule in rules)
    is_whole(recipe)


@pytest.mark.parametrize("what", [name for name in NONSENSE if name != "nothing"])
def test_pictures_are_nonsense(tmp_path: Path, proxy: FaultProxy, what: str) -> None:
    rule = proxy.on("/view", instead=NONSENSE[what], times=3)
    recipe = colours(tmp_path, [proxy.url], transport="view")
    assert drive(recipe).exit_code == 0
    assert rule.hits == 3
    is_whole(recipe)


@pytest.mark.parametrize("lost", [1, 4, 12, 13, 30, 100])
def test_pictures_are_truncated(tmp_path: Path, proxy: FaultProxy, lost: int) -> None:
    proxy.on("/view", change=lambda body: body[:-lost], times=3)
    recipe = colours(tmp_path, [proxy.url], transport="view")
    summary = drive(recipe)
    assert (summary.exit_code, summary.progress.tries["incomplete"]) == (0, 3)
    is_whole(recipe)


@pytest.mark.parametrize("lost", [1, 50])
def test_pictures_break_off(tmp_path: Path, proxy: FaultProxy, lost: int) -> None:
    proxy.on("/view", cut=lost, times=3)
    recipe = colours(tmp_path, [proxy.url], transport="view")
    summary = drive(recipe)
    assert (summary.exit_code, summary.progress.tries["connection"]) == (0, 3)
    is_whole(recipe)


@pytest.mark.slow
@pytest.mark.parametrize("length", [None, 60_000])
@pytest.mark.parametrize("path", ["/view", "/prompt", "/system_stats"])
def test_replies_that_never_end(
    tmp_path: Path, proxy: FaultProxy, path: str, length: int | None
) -> None:
    recipe = colours(tmp_path, [proxy.url], transport="view", timeouts={"reply": 1})
    rule = proxy.on(path, endless=b"x", pause=0.05, length=length, times=2)
    assert drive(recipe).exit_code == 0
    assert rule.hits == 2
    is_whole(recipe)


@pytest.mark.parametrize("path", ["/view", "/prompt"])
def test_replies_that_are_too_large(
    tmp_path: Path, proxy: FaultProxy, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("MAX_JSON", "MAX_FILE"):
        monkeypatch.setattr(http, limit, 4_000_000)
    recipe = colours(tmp_path, [proxy.url], transport="view")
    rule = proxy.on(path, endless=b"x" * 100_000, times=2)
    assert drive(recipe).exit_code == 0
    assert rule.hits == 2
    is_whole(recipe)


@pytest.mark.slow
def test_the_server_takes_a_prompt_but_its_reply_does_not_come(
    tmp_path: Path, proxy: FaultProxy, comfyui: EmbeddedServer
) -> None:
    rule = proxy.on("/prompt", "POST", hold=True, times=4)
    recipe = colours(tmp_path, [proxy.url], timeouts={"reply": 2})
    summary = drive(recipe)
    assert (summary.exit_code, summary.progress.tries["connection"]) == (0, 4)
    assert rule.hits == 4
    is_whole(recipe)
    assert queue(comfyui.url) == []


def test_a_prompt_that_is_accepted_in_part(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """Two outputs, of which one does not validate: ComfyUI runs the other and says 200."""
    nodes = graph("StubOutput")
    nodes["6"] = {"class_type": "StubPicky", "inputs": {"value": ["5", 0], "number": 0, "no": 3}}
    nodes["9"]["inputs"]["images"] = ["6", 0]
    bind = {"EmptyImage.color": "$index", "StubPicky.number": "$index"}
    recipe = colours(tmp_path, [comfyui.url], nodes=nodes, bind=bind)
    summary = drive(recipe)
    assert (summary.exit_code, summary.stopped) == (1, None)
    [(kind, reason, count)] = summary.failures
    assert (kind, count) == ("invalid", 1)
    assert "node 6 (StubPicky)" in reason
    assert "not the number 3" in reason
    is_whole(recipe, but={3})
    assert wait_for(lambda: queue(comfyui.url) == [])


def test_a_prompt_that_is_accepted_in_part_oddly(tmp_path: Path, proxy: FaultProxy) -> None:
    """node_errors added to a good reply, well formed or not; those prompts are taken back."""
    errors: Any = [{"5": {"class_type": "X", "errors": [{"message": "bad"}]}}, ["x"], {"5": 1},
                   {"5": {"errors": 7}}]  # fmt: skip
    left = list(errors)

    def add(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), "node_errors": left.pop()}).encode()

    proxy.on("/prompt", "POST", change=add, times=len(errors))
    recipe = colours(tmp_path, [proxy.url])
    summary = drive(recipe)
    assert (summary.exit_code, summary.counts.failed) == (1, len(errors))
    assert {kind for kind, _, _ in summary.failures} == {"invalid"}
    assert not any("manyshot itself failed" in reason for _, reason, _ in summary.failures)


NAMES = ["../../x", "/etc/passwd", "a\0b", "\ud800", "x" * 5000, "", 7, None, "..", "a/b/../../c"]


@pytest.mark.parametrize("where", ["filename", "subfolder", "type"])
def test_names_in_replies_are_never_paths_here(
    tmp_path: Path, proxy: FaultProxy, where: str
) -> None:
    """Event and history name files outside of everything: asked for, refused, made again."""
    left = list(NAMES)

    def evil(message: Any) -> Any:
        if isinstance(message, bytes) or '"executed"' not in message or not left:
            return message
        event = json.loads(message)
        event["data"]["output"]["images"][0][where] = left.pop()
        return json.dumps(event)

    proxy.filter = evil
    recipe = colours(tmp_path, [proxy.url], transport="view", retries={"incomplete": 20})
    summary = drive(recipe)
    assert summary.exit_code == 0
    assert not left
    is_whole(recipe)
    outside = {p.name for p in tmp_path.iterdir()}
    assert outside == {"graph.json", "out"}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_server_that_is_none(tmp_path: Path, proxy: FaultProxy, what: str) -> None:
    """Nothing but nonsense from the start: a sentence, and nothing queued."""
    proxy.on("/", instead=NONSENSE[what])
    with pytest.raises(ManyshotError, match=proxy.url):
        drive(colours(tmp_path, [proxy.url]))


def test_what_the_server_says_may_be_no_text(tmp_path: Path, proxy: FaultProxy) -> None:
    """Half a surrogate pair, colour codes and line breaks in a node's message."""

    def spoil(message: Any) -> Any:
        odd = r"bad \udcff\n\u001b[31mred"
        return message.replace("stub failure", odd) if isinstance(message, str) else message

    proxy.filter = spoil
    broken = graph("StubRaise", text="stub failure")
    recipe = colours(tmp_path, [proxy.url], 3, broken, retries={"node": 0})
    summary = drive(recipe)
    assert (summary.exit_code, summary.stopped) == (1, None)
    [(kind, reason, count)] = summary.failures
    assert (kind, count) == ("node", 3)
    assert "StubRaise" in reason
    assert "red" in reason
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("location", "advised"),
    [("https://gpu.example/", True), ("file:///etc/passwd", False), ("data:,x", False)],
)
def test_only_an_address_that_can_be_used_is_advised(location: str, advised: bool) -> None:
    reply = HTTPResponse(b"", headers={"location": location}, status=302)
    assert ("use that address" in http._hint(reply)) is advised
