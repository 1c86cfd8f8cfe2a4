"""However the program, the guardian or ComfyUI ends: nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from manyshot.driver.embedded.locks import is_locked

PARENT = Path(__file__).parents[1] / "support" / "embedded_parent.py"


@dataclass(frozen=True)
class Parent:
    """A running tests/support/embedded_parent.py, and the processes of its server."""

    process: subprocess.Popen[str] | subprocess.Popen[bytes]
    server: list[psutil.Process]

    @property
    def guardian(self) -> psutil.Process:
        return self.server[0]

    def leaves_nothing(self, seconds: float = 10) -> bool:
        """Whether all processes of the server are gone, waiting for it at most so long."""
        until = time.monotonic() + seconds
        while (left := any(map(runs, self.server))) and time.monotonic() < until:
            time.sleep(0.02)
        return not left


def runs(process: psutil.Process) -> bool:
    """Whether more than an exit code is left of it (which waits for a parent to collect it)."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


Start = Callable[..., Parent]


@pytest.fixture
def start(cache: Path, fake_comfyui: Path) -> Iterator[Start]:
    """Starts parents, and ends them even when a test fails."""
    started: list[Parent] = []

    def run(how: str, *arguments: str) -> Parent:
        command = [sys.executable, str(PARENT), str(fake_comfyui), how, *arguments]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        pids = json.loads(process.stdout.readline())
        started.append(Parent(process, [psutil.Process(pid) for pid in pids]))
        process.stdin.write("\n")
        process.stdin.flush()
        return started[-1]

    yield run
    for parent in started:
        with suppress(ProcessLookupError):
            os.killpg(parent.process.pid, signal.SIGKILL)
        parent.process.communicate()
        for process in parent.server:
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.mark.parametrize(("how", "code"), [("end", 0), ("raise", 1), ("exit", 5)])
def test_program_ends(start: Start, how: str, code: int) -> None:
    parent = start(how)
    assert parent.process.wait(20) == code
    assert parent.leaves_nothing(0)  # it waits for its server to end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_program_is_killed(start: Start, number: signal.Signals) -> None:
    parent = start("wait")
    parent.process.send_signal(number)
    assert parent.process.wait(20) != 0
    assert parent.leaves_nothing()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_program_is_killed_while_the_server_starts(
    cache: Path, fake_comfyui: Path, number: signal.Signals
) -> None:
    command = [sys.executable, str(PARENT), str(fake_comfyui), "wait", "--fake-silent"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    me = psutil.Process(process.pid)
    while len(server := me.children(recursive=True)) < 2:
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait(20) != 0
    assert Parent(process, server).leaves_nothing()


def test_program_is_killed_while_a_fork_of_it_holds_the_pipe(start: Start) -> None:
    parent = start("fork")
    parent.process.kill()
    assert parent.leaves_nothing()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can do this")
def test_guardian_is_killed(start: Start) -> None:
    parent = start("wait")
    parent.guardian.kill()
    assert parent.leaves_nothing()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_guardian_is_asked_to_end(start: Start, number: signal.Signals) -> None:
    parent = start("wait")
    parent.guardian.send_signal(number)
    assert parent.leaves_nothing()


def test_children_of_comfyui_end_too(start: Start) -> None:
    parent = start("wait", "--fake-grandchild")
    assert len(parent.server) == 3
    parent.process.kill()
    assert parent.leaves_nothing()


def test_a_server_that_ignores_sigterm_is_killed_and_holds_its_folder_until_then(
    start: Start, cache: Path
) -> None:
    lock = cache / "servers" / "1" / ".lock"
    parent = start("wait", "--fake-stubborn")
    parent.process.kill()
    assert is_locked(lock)  # ComfyUI still runs and writes there
    assert parent.leaves_nothing()
    until = time.monotonic() + 10
    while is_locked(lock):  # the last threads of a dead process take a moment
        assert time.monotonic() < until
