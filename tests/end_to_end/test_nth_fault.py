"""A call to the disk, to SQLite or for memory fails, whichever: the command says so in a sentence,
and run again it gives what it gives without a fault.

By default a few calls of each command fail. MANYSHOT_FAULTS=all (`make faults`) fails every one,
until a run gets through without meeting its fault; MANYSHOT_FAULTS=120 that many, evenly.
"""

import logging
import os
from pathlib import Path

import pytest

from ..support.fault_commands import CHEAP, DEAR, Command
from ..support.nth_fault import Sweep

log = logging.getLogger(__name__)
FAULTS = os.environ.get("MANYSHOT_FAULTS", "")
ALL = FAULTS == "all"


def numbers(calls: int, tried: int) -> list[int]:
    """Which calls fail: all, or so many, evenly."""
    if ALL:
        return list(range(1, calls + 1))
    tried = int(FAULTS) if FAULTS.isdecimal() else tried
    return sorted({1 + (2 * place + 1) * calls // (2 * tried) for place in range(tried)})


def sweep(command: Command, folder: Path, tried: int, lasting: bool) -> None:
    faults, tries = [], Sweep(command, folder / "work")
    nth, last = 0, 0
    for nth in numbers(tries.calls, tried):
        watcher, fault = tries.fault(nth, lasting)
        last = watcher.count
        faults += [fault] if fault else []
    while ALL and last >= nth:  # threads make some runs longer: on, until none meets its fault
        nth += 1
        watcher, fault = tries.fault(nth, lasting)
        last = watcher.count
        faults += [fault] if fault else []
    log.warning("%s: %d calls, %d faults not stood", command.name, nth, len(faults))
    assert not faults, "\n\n".join(f"{one.nth} {one.call}\n{one.problem}" for one in faults[:8])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("command", CHEAP, ids=lambda command: command.name)
def test_any_call_may_fail(command: Command, lasting: bool, tmp_path: Path) -> None:
    sweep(command, tmp_path, 8, lasting)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("command", DEAR, ids=lambda command: command.name)
def test_any_call_of_the_trainer_may_fail(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("torchmetrics")
    sweep(command, tmp_path, 1, False)
