"""One list of jobs for several servers, WebUIs among them, of which some are lost midway."""

from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.run import Summary

from ..fault_webui import Fault, FaultWebui, Installed
from ..support.fault_runs import drive
from ..support.webui_runs import BOTH, broken, cats, dead, files, is_whole

pytestmark = pytest.mark.usefixtures("hasty")


def shares(summary: Summary, *webuis: FaultWebui) -> list[int]:
    """How many images of the dataset came from each."""
    servers = summary.progress.servers
    return [servers[one.name].images if one.name in servers else 0 for one in webuis]


def test_two_webuis_share_the_work(tmp_path: Path) -> None:
    with (
        broken("slow", times=None, amount=0.005) as one,
        broken("slow", times=None, amount=0.005) as two,
    ):
        recipe = cats(tmp_path, [one, two], 24)
        summary = drive(recipe)
        assert summary.exit_code == 0
        both = one.diary.images() + two.diary.images()
        assert len(both) == len({image.seed for image in both}) == 24
        assert min(shares(summary, one, two)) >= 8
    is_whole(recipe)


def test_one_of_two_dies_for_good(tmp_path: Path) -> None:
    """What it drew counts, what it was drawing goes to the other, nothing is drawn twice."""
    with broken("die", after=3) as one, broken("slow", times=None, amount=0.005) as two:
        recipe = cats(tmp_path, [one, two], 24)
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"connection": 1})
        assert summary.seconds < 10
        assert shares(summary, one, two) == [3, 21]
        both = one.diary.images() + two.diary.images()
        assert len(both) == len({image.seed for image in both}) == 24
    is_whole(recipe)


def test_one_of_two_comes_back(tmp_path: Path) -> None:
    with broken("die", after=3) as one, broken("slow", times=None, amount=0.05) as two:
        recipe = cats(tmp_path, [one, two], 24)
        summary = drive(recipe, (dead(one), one.come_back))
        assert summary.exit_code == 0
        assert shares(summary, one)[0] > 3
    is_whole(recipe)


def test_one_of_two_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And ignores the interrupt: set aside, and its job drawn by the other."""
    monkeypatch.setattr("manyshot.driver.targets.webui.follow_call.CANCEL_GRACE", 0.1)
    monkeypatch.setattr("manyshot.driver.targets.webui.follow_call.ASK_EVERY", 0.05)
    with broken("deaf", after=2) as one, FaultWebui(installed=BOTH) as two:
        recipe = cats(tmp_path, [one, two], 24, timeouts={"stall": 0.3})
        summary = drive(recipe)
        assert (summary.exit_code, dict(summary.progress.tries)) == (0, {"stalled": 1})
        assert shares(summary, one) == [2]
    is_whole(recipe)


def test_one_of_two_is_broken_in_silence(tmp_path: Path) -> None:
    """All its images are spoiled; the other draws them."""
    with broken("truncated png", times=None) as one, FaultWebui(installed=BOTH) as two:
        recipe = cats(tmp_path, [one, two], 12)
        summary = drive(recipe)
        assert summary.exit_code == 0
        assert shares(summary, one, two) == [0, 12]
    is_whole(recipe)


def test_one_of_two_is_not_there(tmp_path: Path) -> None:
    with FaultWebui() as away:
        pass
    with FaultWebui(installed=BOTH) as there:
        recipe = cats(tmp_path, [away, there])
        assert drive(recipe).exit_code == 0
    is_whole(recipe)


def test_one_of_two_lacks_the_checkpoint(tmp_path: Path) -> None:
    with FaultWebui(installed=BOTH) as one, FaultWebui(installed=Installed()) as two:
        recipe = cats(tmp_path, [one, two], settings={"checkpoint": "other"})
        with pytest.raises(InputError, match=f"{two.url}.*no checkpoint 'other'"):
            drive(recipe)
        assert one.diary.begun == []


def test_versions_draw_one_dataset(tmp_path: Path) -> None:
    """An old one and a new one call the sampler differently, and the jobs are the same."""
    with FaultWebui("1.6.0", BOTH) as old, FaultWebui("1.10.1", BOTH) as new:
        recipe = cats(tmp_path, [old, new], 12)
        summary = drive(recipe)
        assert (summary.exit_code, summary.failures) == (0, [])
    assert len(files(recipe)) == 12


def test_a_checkpoint_that_is_gone_when_the_server_is_back(tmp_path: Path) -> None:
    """It is looked at anew, and says why it is not used."""
    with broken("die", after=2) as webui:

        def back() -> None:
            webui.install(Installed())
            webui.come_back()

        recipe = cats(
            tmp_path, [webui], settings={"checkpoint": "other"}, timeouts={"server_gone": 0.6}
        )
        summary = drive(recipe, (dead(webui), back))
        assert (summary.exit_code, summary.counts.done, summary.counts.failed) == (1, 2, 0)
        assert summary.stopped is not None
        assert "no checkpoint 'other'" in summary.stopped
        assert {image.model for image in webui.diary.images()} == {"other"}


def test_a_checkpoint_that_is_gone_midway(tmp_path: Path) -> None:
    """Another user has another one loaded, and the file is gone: not one wrong image is kept."""
    with broken("slow", times=None, amount=0.02) as webui:

        def vanish() -> None:
            webui.install(Installed())
            webui.life.shelf.options["sd_model_checkpoint"] = "tiny.safetensors"

        recipe = cats(tmp_path, [webui], settings={"checkpoint": "other"})
        summary = drive(recipe, (lambda progress, _: progress.images >= 2, vanish))
        assert (summary.exit_code, summary.stopped) == (1, None)
        [(_, reason, _)] = summary.failures
        assert "checkpoint 'tiny' instead of 'other'" in reason
        for name, data in files(recipe).items():
            assert b"Model: other" in data, name


def test_a_run_that_dies_resumes_on_another_webui(tmp_path: Path) -> None:
    with broken("die", after=3) as one:
        recipe = cats(tmp_path, [one], timeouts={"server_gone": 0.2})
        assert drive(recipe).counts.done == 3
    with FaultWebui(installed=BOTH) as two:
        rest = cats(tmp_path, [two])
        assert drive(rest).progress.images == 3
        assert len(two.diary.images()) == 3
    is_whole(rest)


@pytest.mark.parametrize("times", [1, 3])
def test_a_gateway_before_one_of_two(tmp_path: Path, times: int) -> None:
    with FaultWebui(installed=BOTH) as one, FaultWebui(installed=BOTH) as two:
        one.breaks(Fault("gateway 502", times=times, after=2))
        recipe = cats(tmp_path, [one, two], 12)
        assert drive(recipe).exit_code == 0
    is_whole(recipe)
