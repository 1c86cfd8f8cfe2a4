"""Runs that share a WebUI, and runs that are killed: nobody's image is spoiled or drawn for
nothing."""

import signal
import threading
from pathlib import Path

import pytest
from manyshot.driver.run import Summary
from manyshot.driver.targets.webui import follow_call

from ..fault_webui import Fault, FaultWebui
from ..support.fault_processes import done, kill_group, start_driver
from ..support.fault_runs import drive, wait_for
from ..support.webui_runs import BOTH, broken, cats, is_whole

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call is looked at often."""
    monkeypatch.setattr(follow_call, "TICK", 0.01)
    monkeypatch.setattr(follow_call, "ASK_EVERY", 0.02)


def test_two_runs_at_once(tmp_path: Path) -> None:
    """With other checkpoints: each gets its own images, and waits for the other's."""
    with broken("slow", times=None, amount=0.01) as webui:
        mine = cats(tmp_path / "mine", [webui], 8, timeouts={"stall": 5})
        theirs = cats(tmp_path / "theirs", [webui], 8, {"checkpoint": "other"}, seed=1)
        summaries: list[Summary] = []
        beside = threading.Thread(target=lambda: summaries.append(drive(theirs)))
        beside.start()
        summaries.append(drive(mine))
        beside.join()
        assert [one.exit_code for one in summaries] == [0, 0]
        assert [dict(one.progress.tries) for one in summaries] == [{}, {}]
        assert webui.diary.interrupts == []
        assert webui.diary.drawn_twice() == []
    is_whole(mine)
    is_whole(theirs)


@pytest.mark.parametrize("at", [1, 3])
def test_a_killed_run_goes_on(tmp_path: Path, at: int) -> None:
    """At most the image that was being drawn is drawn again, and not beside itself."""
    with broken("slow", times=None, amount=0.1) as webui:
        recipe = cats(tmp_path, [webui])
        with start_driver(recipe) as process:
            assert wait_for(lambda: done(recipe) >= at)
            kill_group(process)
        webui.works()
        assert drive(recipe).exit_code == 0
        assert len(webui.diary.drawn_twice()) <= 1
    is_whole(recipe)


def test_a_run_that_is_told_to_end_interrupts_what_it_has_there(tmp_path: Path) -> None:
    with FaultWebui(installed=BOTH) as webui:
        webui.breaks(Fault("hang", after=2))
        recipe = cats(tmp_path, [webui])
        with start_driver(recipe) as process:
            assert wait_for(lambda: len(webui.diary.begun) == 3)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        assert webui.diary.interrupts == [webui.diary.begun[2]]
        assert wait_for(lambda: webui.diary.open == 0)
        assert drive(recipe).progress.images == 4
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)
