"""Interrupts: those of others are noticed, ours hit our own job and nobody else's."""

import os
import signal
from pathlib import Path

import pytest
from manyshot.driver.recipe import Recipe
from manyshot.driver.run import Summary
from manyshot.driver.targets.webui import follow_call

from ..fault_webui import Fault, FaultWebui
from ..support.fault_runs import Condition, drive
from ..support.webui_runs import BOTH, broken, cats, is_whole

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call is looked at often."""
    monkeypatch.setattr(follow_call, "TICK", 0.01)
    monkeypatch.setattr(follow_call, "ASK_EVERY", 0.02)


def begun(webui: FaultWebui, jobs: int) -> Condition:
    """When so many jobs have begun to be drawn there, of whomever."""
    return lambda *_: len(webui.diary.begun) >= jobs


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def stopped(recipe: Recipe, webui: FaultWebui, jobs: int) -> Summary:
    """A run that Ctrl-C ends when so many jobs have begun."""
    summary = drive(recipe, (begun(webui, jobs), ctrl_c))
    assert summary.interrupted
    return summary


@pytest.mark.parametrize("button", ["interrupted", "skipped"])
@pytest.mark.parametrize("batch", [1, 2])
def test_somebody_presses_a_button(tmp_path: Path, button: str, batch: int) -> None:
    """The image comes half drawn and nothing in the reply says so."""
    with broken("slow", amount=0.2, after=1) as webui:
        recipe = cats(tmp_path, [webui], batch_size=batch)
        press = webui.interrupt if button == "interrupted" else webui.life.state.skip
        summary = drive(recipe, (begun(webui, 2), press))
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"incomplete": 1})
        assert [one.half for one in webui.diary.drawn].count(True) == batch
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


def test_somebody_presses_it_while_nothing_is_drawn(tmp_path: Path) -> None:
    """It says so until the next job begins, which is not harmed."""
    with FaultWebui(installed=BOTH) as webui:
        webui.interrupt()
        recipe = cats(tmp_path, [webui])
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {})
    is_whole(recipe)


def test_somebody_presses_it_always(tmp_path: Path) -> None:
    """Every job is spoiled: told, and not one half drawn image kept."""
    with broken("interrupted", times=None) as webui:
        recipe = cats(tmp_path, [webui], 2)
        summary = drive(recipe)
    assert (summary.exit_code, summary.counts.done) == (1, 0)
    [(kind, reason, count)] = summary.failures
    assert (kind, count) == ("incomplete", 2)
    assert "Someone interrupted it in the WebUI" in reason
    is_whole(recipe, failed=2)


def test_ctrl_c_interrupts_our_job(tmp_path: Path) -> None:
    with broken("hang", after=2) as webui:
        recipe = cats(tmp_path, [webui])
        summary = stopped(recipe, webui, 3)
        assert webui.diary.interrupts == [webui.diary.begun[2]]
        assert (summary.counts.done, summary.counts.failed, summary.counts.pending) == (2, 0, 4)
        assert drive(recipe).progress.images == 4
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


def test_ctrl_c_interrupts_our_first_job(tmp_path: Path) -> None:
    with broken("hang") as webui:
        recipe = cats(tmp_path, [webui], 2)
        stopped(recipe, webui, 1)
        assert webui.diary.interrupts == webui.diary.begun


def test_ctrl_c_leaves_anothers_job_alone_that_ours_waits_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_call, "CANCEL_GRACE", 0.3)
    monkeypatch.setattr(
        "manyshot.driver.targets.webui.webui_server.REFRESHED", ()
    )  # which waits, too
    with FaultWebui(installed=BOTH) as webui:
        other = webui.other_job(seconds=1.0)
        recipe = cats(tmp_path, [webui], 2)
        assert drive(recipe, (lambda *_: webui.diary.open == 1, ctrl_c)).interrupted
        other.join()
        assert webui.diary.interrupts == []
        assert [one.half for one in webui.diary.drawn if one.task.startswith("other")] == [False]


def test_ctrl_c_leaves_anothers_job_alone_that_came_between_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited while ours was drawn, and is drawn while our next one waits."""
    monkeypatch.setattr(follow_call, "CANCEL_GRACE", 0.3)
    with broken("deaf", after=1) as webui:

        def let_another_wait() -> None:
            webui.other_job(seconds=1.5)
            webui.release()

        scenes = [(begun(webui, 2), let_another_wait), (begun(webui, 3), ctrl_c)]
        summary = drive(cats(tmp_path, [webui]), *scenes)
        assert summary.interrupted
        assert webui.diary.begun[2].startswith("other")
        assert webui.diary.interrupts == []


def test_a_job_that_stands_still_first_is_interrupted(tmp_path: Path) -> None:
    with broken("hang") as webui:
        recipe = cats(tmp_path, [webui], 2, timeouts={"stall": 0.3})
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"stalled": 1})
        assert webui.diary.interrupts == webui.diary.begun[:1]
    is_whole(recipe)


def test_others_share_the_webui(tmp_path: Path) -> None:
    """Jobs of another user between ours, with another checkpoint each time."""
    with broken("slow", times=None, amount=0.02) as webui:
        scenes = [
            (begun(webui, number), lambda: webui.other_job(checkpoint="other"))
            for number in (2, 4, 6)
        ]
        recipe = cats(tmp_path, [webui])
        summary = drive(recipe, *scenes)
        assert (summary.exit_code, summary.failures) == (0, [])
        assert webui.diary.drawn_twice() == []
        assert webui.diary.interrupts == []
        assert {one.model for one in webui.diary.images()} == {"tiny"}
    is_whole(recipe)


def test_our_job_is_interrupted_while_another_waits_behind_it(tmp_path: Path) -> None:
    """The state that says so is the other's as soon as ours has ended; a look has seen it before.

    Between two looks it cannot be seen: a step that ends within follow.ASK_EVERY hides it.
    """
    with broken("slow", amount=0.2, after=1) as webui:

        def press() -> None:
            webui.other_job(seconds=0.3)
            webui.interrupt()

        recipe = cats(tmp_path, [webui])
        summary = drive(recipe, (begun(webui, 2), press))
        assert summary.exit_code == 0
    is_whole(recipe)


def test_the_question_after_a_job_is_asked_again(tmp_path: Path) -> None:
    """A hiccup of /progress is no reason to draw a job twice."""
    with FaultWebui(installed=BOTH) as webui:
        recipe = cats(tmp_path, [webui])
        webui.breaks(Fault("gateway 502", times=1, after=5, path="/sdapi/v1/progress"))
        assert drive(recipe).exit_code == 0
        assert webui.diary.drawn_twice() == []
    is_whole(recipe)


def test_its_settings_are_as_they_were_afterwards(tmp_path: Path) -> None:
    """But for the models. What was set for the jobs stays with them."""
    with FaultWebui(installed=BOTH) as webui:
        options = webui.life.shelf.options
        before = dict(options)
        recipe = cats(tmp_path, [webui], 2, {"clip_skip": 2, "checkpoint": "other"})
        assert drive(recipe).exit_code == 0
        kept = {name for name in before if options[name] != before[name]}
        assert kept == {"sd_model_checkpoint", "sd_checkpoint_hash"}
        assert before["eta_noise_seed_delta"] == 31337  # or nothing was to be put back
