"""A server that goes, comes back, dies, runs out of memory, hangs; nodes that raise.

That it is killed and restarted with its queue lost is in test_driver_chaos.py.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.embedded import EmbeddedServer, ServerSettings
from manyshot.driver.take_over import Wishes
from manyshot.driver.targets.comfyui import follow_prompt

from ..support.fault_proxy import FaultProxy
from ..support.fault_runs import (
    GRAPH,
    away,
    colours,
    drive,
    graph,
    images,
    is_whole,
    queue,
    slow,
    wait_for,
)

pytestmark = pytest.mark.server
BOTH = pytest.mark.parametrize("transport", ["websocket", "view"])


@pytest.fixture
def proxy(comfyui: EmbeddedServer) -> Iterator[FaultProxy]:
    with FaultProxy(comfyui.url) as proxy:
        yield proxy


@BOTH
def test_nodes_that_raise_fail_their_jobs_alone(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    bind = {"EmptyImage.color": "$index", "StubRaiseAt.number": "$index"}
    nodes = graph("StubRaiseAt", number=1, every=4)
    recipe = colours(tmp_path, [comfyui.url], 12, nodes, bind=bind, transport=transport)
    summary = drive(recipe)
    assert (summary.exit_code, summary.stopped, summary.progress.tries["node"]) == (1, None, 3)
    [(kind, reason, count)] = summary.failures
    assert (kind, count) == ("node", 3)
    assert "node 5 (StubRaiseAt) raised RuntimeError" in reason
    assert "is a multiple of 4" in reason
    is_whole(recipe, but={0, 4, 8})


def test_a_node_that_raises_always_stops_the_run_early(
    tmp_path: Path, comfyui: EmbeddedServer
) -> None:
    nodes = graph("StubRaise", text="it is broken")
    recipe = colours(tmp_path, [comfyui.url], 60, nodes, retries={"node": 0})
    summary = drive(recipe)
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert "it is broken" in summary.stopped
    assert summary.counts.pending > 20
    assert wait_for(lambda: queue(comfyui.url) == [])


@pytest.mark.slow
def test_out_of_memory_is_tried_again_later_then_named(
    tmp_path: Path, comfyui: EmbeddedServer
) -> None:
    recipe = colours(tmp_path, [comfyui.url], 2, graph("StubOOM"), retries={"memory": 1})
    summary = drive(recipe)
    assert (summary.exit_code, summary.progress.tries["memory"]) == (1, 2)
    [(kind, reason, count)] = summary.failures
    assert (kind, count) == ("memory", 2)
    assert "node 5 (StubOOM)" in reason
    assert "out of memory" in reason


@BOTH
def test_the_server_is_gone_for_a_while(
    tmp_path: Path, proxy: FaultProxy, transport: str, comfyui: EmbeddedServer
) -> None:
    nodes = slow(0.02)
    recipe = colours(tmp_path, [proxy.url], 40, nodes, transport=transport)
    gone, back = proxy.go_away, proxy.come_back
    again = [(images(8), gone), (away(), back), (images(20), gone), (away(), back)]
    summary = drive(recipe, *again)
    assert summary.exit_code == 0
    assert summary.progress.tries["connection"] > 0
    is_whole(recipe)
    assert queue(comfyui.url) == []


def test_the_server_is_gone_for_good(
    tmp_path: Path, proxy: FaultProxy, comfyui: EmbeddedServer
) -> None:
    """The run ends, says why, and the next one makes the rest."""
    recipe = colours(tmp_path, [proxy.url], 20, timeouts={"server_gone": 1})
    summary = drive(recipe, (images(5), proxy.go_away))
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert "No server was usable for 1 s" in summary.stopped
    assert "connection refused" in summary.stopped
    assert summary.counts.done >= 5
    rest = colours(tmp_path, [comfyui.url], 20)
    assert drive(rest).progress.images == 20 - summary.counts.done
    is_whole(rest)


@BOTH
def test_of_two_servers_one_dies_for_good(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    """Its jobs go to the other at once."""
    with FaultProxy(comfyui.url) as first, FaultProxy(comfyui.url) as second:
        nodes = slow(0.02)
        recipe = colours(tmp_path, [first.url, second.url], 40, nodes, transport=transport)
        summary = drive(recipe, (images(10), second.go_away))
        assert summary.exit_code == 0
        is_whole(recipe)
        assert (
            summary.progress.servers[first.url].images > summary.progress.servers[second.url].images
        )
        assert summary.seconds < 60  # not timeouts.server_gone, which is 120


@pytest.mark.slow
def test_a_node_hangs_and_ignores_the_interrupt(
    tmp_path: Path, comfyui: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One server: it is set aside, and used again when the node has ended."""
    monkeypatch.setattr(follow_prompt, "CANCEL_GRACE", 1.0)
    nodes = graph("StubSleep", seconds=0.0, interruptible=False)
    sweep = {"StubSleep.seconds": [0.0, 3.5]}
    recipe = colours(
        tmp_path, [comfyui.url], 3, nodes, {"stall": 1}, sweep=sweep, retries={"stalled": 0}
    )
    summary = drive(recipe)
    assert summary.exit_code == 1
    assert {kind for kind, _, _ in summary.failures} == {"stalled"}
    assert (summary.counts.done, summary.counts.failed) == (3, 3)
    assert wait_for(lambda: queue(comfyui.url) == [])


@pytest.mark.slow
def test_a_hanging_server_gives_its_waiting_jobs_to_the_other(
    tmp_path: Path, comfyui: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two real servers: a job of ours hangs on one, with others of ours behind it."""
    monkeypatch.setattr(follow_prompt, "CANCEL_GRACE", 1.0)
    settings = ServerSettings(device="cpu", extra_nodes=(Path(__file__).parents[1] / "stub_nodes",))
    nodes = graph("StubHangOnce")
    with EmbeddedServer(settings) as other:
        (other.folder / "input" / "hang").touch()
        recipe = colours(tmp_path, [comfyui.url, other.url], 20, nodes, {"stall": 2})
        summary = drive(recipe)
        assert summary.exit_code == 0
        assert summary.progress.tries["stalled"] == 1
        is_whole(recipe)


def test_a_node_that_takes_long_is_not_called_hanging_while_it_waits(
    tmp_path: Path, comfyui: EmbeddedServer
) -> None:
    """Four wait while one runs: their waiting is longer than the stall limit, their work is not."""
    nodes = slow(0.6)
    recipe = colours(tmp_path, [comfyui.url], 6, nodes, {"stall": 1.5})
    summary = drive(recipe)
    assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
    is_whole(recipe)


@BOTH
def test_the_same_again_in_another_folder(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    """All nodes are in the server's cache by then."""
    for name in ("first", "second"):
        recipe = colours(tmp_path / name, [comfyui.url], transport=transport)
        assert drive(recipe).exit_code == 0
        is_whole(recipe)


@BOTH
def test_lost_files_are_made_again_while_the_server_has_them_cached(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    recipe = colours(tmp_path, [comfyui.url], 5, transport=transport)
    drive(recipe)
    for path in sorted(recipe.output.glob("images/*/*.png"))[1:3]:
        path.unlink()
    summary = drive(recipe, wishes=Wishes(redraw=True))
    assert (summary.exit_code, summary.taken.opened, summary.progress.images) == (0, 2, 2)
    is_whole(recipe)


@BOTH
def test_manyshots_own_save_node_twice(
    tmp_path: Path, comfyui: EmbeddedServer, transport: str
) -> None:
    nodes = copy.deepcopy(GRAPH)
    nodes["9"] = {
        "class_type": "ManyshotSaveLabelled",
        "inputs": {"images": ["1", 0], "class_name": "colour", "folder": "faults", "name": "",
                   "delivery": "folder"},
    }  # fmt: skip
    for name in ("first", "second"):
        recipe = colours(tmp_path / name, [comfyui.url], 5, nodes, transport=transport)
        assert drive(recipe).exit_code == 0
        is_whole(recipe)


@BOTH
def test_jobs_of_equal_pixels(tmp_path: Path, comfyui: EmbeddedServer, transport: str) -> None:
    """Jobs that differ in the prompt alone may look the same; equal ones are refused."""
    nodes = copy.deepcopy(GRAPH)
    nodes["7"] = {"class_type": "StubText", "inputs": {"value": ["1", 0], "text": ""}}
    nodes["9"]["inputs"]["images"] = ["7", 0]
    recipe = colours(
        tmp_path, [comfyui.url], 6, nodes, transport=transport,
        bind={"EmptyImage.color": 5, "StubText.text": "$prompt"},
        prompts={"templates": ["one", "two", "two"]},
    )  # fmt: skip
    with pytest.raises(InputError, match=r"4 of the 6 jobs equal another one.*KSampler.seed"):
        drive(recipe)
    assert not list(recipe.output.glob("images/colour/*.png"))
    two = recipe.model_copy(update={"images_per_class": 2})
    summary = drive(two)
    assert summary.exit_code == 0
    assert len(list(recipe.output.glob("images/colour/*.png"))) == 2
