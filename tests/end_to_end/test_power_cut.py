"""The power is cut: what was not synced is lost, and the next run gives what an uninterrupted one
does. A command that ended with 0 has lost nothing."""

import os
from pathlib import Path

import pytest
from manyshot.driver.ledger import Ledger

from ..support.fault_commands import EXPORTS, RUN, Command
from ..support.nth_fault import Sweep, invoke
from ..support.power_cut import Disk, Moment, Recorder, restore_disk
from ..support.watched_calls import watched

ALL = os.environ.get("MANYSHOT_FAULTS") == "all"
TRIED = 6
COMMANDS = [RUN, EXPORTS[0]]


def recorded(command: Command, folder: Path) -> tuple[Sweep, list[Moment]]:
    """What the command gives without a power cut, and each moment of its disk."""
    tries = Sweep(command, folder / "work")
    tries.begin()
    recorder = Recorder(tries.folder)
    with command.stubs(), watched(tries.folder, recorder):
        assert invoke(command.arguments(tries.folder)).code == 0
    recorder.remember(None)
    return tries, recorder.moments


def tried(moments: list[Moment]) -> list[Moment]:
    return moments if ALL else moments[:: max(1, len(moments) // TRIED)]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("disk", ["strict", "names"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_power_cut_at_any_moment(command: Command, disk: Disk, tmp_path: Path) -> None:
    tries, moments = recorded(command, tmp_path)
    wrong: list[str] = []
    for number, moment in enumerate(tried(moments)):
        restore_disk(tries.folder, moment, disk)
        if problem := tries.resume():
            wrong.append(f"{number} {moment.call}: {problem}")
    assert not wrong, f"{len(wrong)} of {len(moments)}:\n" + "\n".join(wrong[:8])


@pytest.mark.parametrize("disk", ["strict", "names"])
@pytest.mark.parametrize("command", [RUN, *EXPORTS], ids=lambda command: command.name)
def test_what_is_done_outlives_a_power_cut(command: Command, disk: Disk, tmp_path: Path) -> None:
    tries, moments = recorded(command, tmp_path)
    restore_disk(tries.folder, moments[-1], disk)
    assert tries.difference("after the power cut") is None


def test_the_ledger_syncs_with_each_commit(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    try:
        assert ledger._rows("PRAGMA synchronous") == [(2,)]
    finally:
        ledger.close()


def test_an_image_is_there_after_its_mask(tmp_path: Path) -> None:
    """A folder without its ledger: an image that is there counts as whole."""
    _, moments = recorded(RUN, tmp_path)
    images, masks = (
        [number for number, moment in enumerate(moments) if _appears(moment, kind)]
        for kind in ("images", "masks")
    )
    assert len(images) == len(masks) == 4
    assert min(masks) < min(images)
    assert max(masks) < max(images)


def _appears(moment: Moment, kind: str) -> bool:
    target = moment.call and moment.call.target
    return target is not None and target.parent.parent.name == kind
