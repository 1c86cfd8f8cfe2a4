"""A WebUI that breaks off, answers too late, dies or hangs: the dataset is whole all the same, and
what can be drawn once is not drawn twice."""

from pathlib import Path

import pytest
from manyshot.core.errors import ServerError
from manyshot.driver.targets.webui import follow_call

from ..fault_webui import Fault, FaultWebui
from ..fault_webui.faults import What
from ..support.fault_runs import drive
from ..support.webui_runs import BOTH, broken, cats, dead, given_up, is_whole

pytestmark = pytest.mark.usefixtures("hasty", "short_looks")


@pytest.fixture
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call is looked at often."""
    monkeypatch.setattr(follow_call, "TICK", 0.01)
    monkeypatch.setattr(follow_call, "ASK_EVERY", 0.03)


NOTHING_DRAWN: tuple[What, ...] = ("drop before", "gateway 502", "nonsense")


@pytest.mark.parametrize("what", NOTHING_DRAWN)
def test_requests_that_do_not_arrive(tmp_path: Path, what: What) -> None:
    with broken(what, times=2, after=2) as webui:
        recipe = cats(tmp_path, [webui])
        summary = drive(recipe)
        assert (summary.exit_code, summary.failures) == (0, [])
        assert dict(summary.progress.tries) == {"connection": 2}
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


DRAWN: tuple[What, ...] = ("drop midway", "drop after", "gateway 504")


@pytest.mark.parametrize("what", DRAWN)
def test_replies_that_are_lost(tmp_path: Path, what: What) -> None:
    """What a WebUI has drawn cannot be fetched a second time: each lost reply is drawn again, and
    nothing else is."""
    with broken(what, times=2, after=2) as webui:
        recipe = cats(tmp_path, [webui])
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"connection": 2})
        assert len(webui.diary.images()) == 6 + 2
        assert webui.diary.most_at_once == 1
    is_whole(recipe)


def test_a_proxy_that_loses_patience_while_the_webui_draws(tmp_path: Path) -> None:
    """HTTP 504 comes at once, the job goes on: it is not sent again while it does."""
    with broken("slow", times=2, amount=0.1) as webui:
        webui.breaks(Fault("impatient", times=1, after=1))
        recipe = cats(tmp_path, [webui])
        summary = drive(recipe)
        assert (summary.exit_code, summary.progress.tries["connection"]) == (0, 1)
        assert webui.diary.most_at_once == 1
    is_whole(recipe)


RETRIED: dict[What, str] = {"memory": "memory", "raise": "node", "error 500": "node"}


@pytest.mark.parametrize("what", RETRIED)
def test_errors_are_tried_again(tmp_path: Path, what: What) -> None:
    with broken(what, after=1) as webui:
        recipe = cats(tmp_path, [webui])
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {RETRIED[what]: 1})
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


ALWAYS: dict[What, tuple[str, str]] = {
    "memory": ("memory", "The WebUI ran out of memory: CUDA out of memory"),
    "raise": ("node", "The WebUI failed: mat1 and mat2 shapes cannot be multiplied"),
    "model fails": ("node", "MetadataIncompleteBuffer (SafetensorError)"),
}


@pytest.mark.parametrize("what", ALWAYS)
def test_errors_that_stay_are_told(tmp_path: Path, what: What) -> None:
    kind, words = ALWAYS[what]
    with broken(what, times=None) as webui:
        recipe = cats(tmp_path, [webui], 2, {"checkpoint": "other"})
        summary = drive(recipe)
    assert (summary.exit_code, summary.counts.done) == (1, 0)
    [(told, reason, count)] = summary.failures
    assert (told, count) == (kind, 2)
    assert words in reason
    assert reason.isprintable()


def test_it_dies_and_comes_back(tmp_path: Path) -> None:
    """Anew, with another checkpoint loaded and nothing in its queue."""
    with broken("die", after=2) as webui:
        recipe = cats(tmp_path, [webui], settings={"checkpoint": "other"})
        summary = drive(recipe, (dead(webui), webui.come_back))
        assert (summary.exit_code, summary.progress.tries["connection"]) == (0, 1)
        assert webui.diary.loads == ["other", "other"]
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


def test_it_dies_for_good(tmp_path: Path) -> None:
    """The run ends and says why, and the next one draws the rest alone."""
    with broken("die", after=2) as webui:
        recipe = cats(tmp_path, [webui], timeouts={"server_gone": 0.5})
        summary = drive(recipe)
        assert (summary.exit_code, summary.counts.done) == (1, 2)
        assert summary.stopped is not None
        assert "No server was usable for 0.5 s" in summary.stopped
        assert "connection refused" in summary.stopped
        webui.come_back()
        assert drive(recipe).progress.images == 4
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


def test_it_is_not_there(tmp_path: Path) -> None:
    with FaultWebui() as webui:
        recipe = cats(tmp_path, [webui])
    with pytest.raises(ServerError, match="connection refused"):
        drive(recipe)


def test_it_is_started_without_its_api(tmp_path: Path) -> None:
    with FaultWebui(api=False) as webui, pytest.raises(ServerError, match="started with --api"):
        drive(cats(tmp_path, [webui]))


def test_it_is_a_web_page(tmp_path: Path) -> None:
    with broken("nonsense", times=None, path="/") as webui:
        recipe = cats(tmp_path, [webui])
        with pytest.raises(ServerError, match=webui.url):
            drive(recipe)


def test_a_job_that_stands_still_is_interrupted(tmp_path: Path) -> None:
    with broken("hang", after=2) as webui:
        recipe = cats(tmp_path, [webui], timeouts={"stall": 0.3})
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"stalled": 1})
        assert len(webui.diary.interrupts) == 1
        assert webui.diary.interrupts[0] == webui.diary.begun[2]
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


def test_a_job_that_cannot_be_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is set aside until that job has ended; nothing is queued behind it."""
    monkeypatch.setattr(follow_call, "CANCEL_GRACE", 0.2)
    with broken("deaf", after=2) as webui:
        recipe = cats(tmp_path, [webui], timeouts={"stall": 0.2})

        def let_go() -> None:
            assert webui.diary.open == 1
            webui.release()

        summary = drive(recipe, (given_up(webui, 3), let_go))
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"stalled": 1})
        assert webui.diary.most_at_once == 1
    is_whole(recipe)


def test_slow_is_not_still(tmp_path: Path) -> None:
    """Jobs longer than the limit, each step shorter."""
    with broken("slow", times=None, amount=0.15) as webui:
        recipe = cats(tmp_path, [webui], 2, timeouts={"stall": 0.4})
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
    is_whole(recipe)


def test_waiting_behind_others_is_not_standing_still(tmp_path: Path) -> None:
    """Another user's long job is before ours; it moves, and is not interrupted."""
    with FaultWebui(installed=BOTH) as webui:
        webui.other_job(seconds=1.5, images=3)
        recipe = cats(tmp_path, [webui], 2, timeouts={"stall": 0.5})
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
        assert webui.diary.interrupts == []
    is_whole(recipe)


def test_replies_that_take_longer_than_other_replies_may(tmp_path: Path) -> None:
    with broken("slow", times=1, amount=0.4) as webui:
        recipe = cats(tmp_path, [webui], 2, timeouts={"reply": 1})
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


@pytest.mark.parametrize("gone", ["progress", "options", "sd-models", "samplers", "loras"])
def test_questions_that_are_not_answered_at_first(tmp_path: Path, gone: str) -> None:
    """A WebUI that still starts: asked again until it answers."""
    with FaultWebui(installed=BOTH) as webui, FaultWebui(installed=BOTH) as other:
        webui.breaks(Fault("gateway 502", times=3, path=f"/sdapi/v1/{gone}"))
        recipe = cats(tmp_path, [webui, other], 12)
        assert drive(recipe).exit_code == 0
    is_whole(recipe)


def test_a_webui_that_is_busy_at_the_start(tmp_path: Path) -> None:
    """Looking for new files waits for another user's job there, longer than a reply may take."""
    with FaultWebui(installed=BOTH) as webui:
        webui.other_job(seconds=1.5)
        recipe = cats(tmp_path, [webui], 2, timeouts={"reply": 0.5})
        assert drive(recipe).exit_code == 0
        assert webui.diary.interrupts == []
    is_whole(recipe)
