"""Fails the n-th call of a command to the disk, to SQLite or for memory, as SQLite's own tests do.

After each fault the command must end with a sentence, and the same command, run again, must give
what it gives without any fault.
"""

import errno
import io
import os
import shutil
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from traceback import format_exception

import pytest
from manyshot.cli import main

from .fault_commands import Command, Outcome
from .watched_calls import Call, watched

NUMBERS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SQLITE = ("disk I/O error", "database or disk is full", "database is locked")


class NthFault:
    """Fails the `nth` call, and with `lasting` every later one of the disk: it is full."""

    def __init__(self, nth: int, lasting: bool = False) -> None:
        self.nth, self.lasting = nth, lasting
        self.count = 0
        self.struck: Call | None = None
        self._lock = threading.Lock()

    def before(self, call: Call) -> None:
        if call.kind == "unlink":
            return
        with self._lock:
            self.count += 1
            number = self.count
        if number == self.nth:
            self.struck = call
            raise self._error(call)
        if self.lasting and self.struck and number > self.nth and call.kind in ("write", "mkdir"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(call.path))

    def after(self, call: Call) -> None:
        pass

    def _error(self, call: Call) -> Exception:
        if call.kind == "memory":
            return MemoryError()
        if call.kind == "sqlite":
            return sqlite3.OperationalError(SQLITE[self.nth % len(SQLITE)])
        number = errno.ENOSPC if self.lasting else NUMBERS[self.nth % len(NUMBERS)]
        return OSError(number, os.strerror(number), str(call.path))


@dataclass
class Ended:
    """How a command ended: its exit code, all that it printed, and tracebacks."""

    code: int
    text: str
    tracebacks: list[str] = field(default_factory=list)


def invoke(arguments: list[str]) -> Ended:
    """`manyshot ARGUMENTS`, in this process."""
    output, ended = io.StringIO(), Ended(0, "")
    with _signals_kept(), _threads_seen(ended.tracebacks), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["manyshot", *arguments])
        with redirect_stdout(output), redirect_stderr(output):
            try:
                main()
            except SystemExit as error:
                ended.code = error.code if isinstance(error.code, int) else int(bool(error.code))
            except BaseException as error:
                ended.tracebacks.append(_shortened(error))
    ended.text = output.getvalue()
    if "Traceback (most recent call last)" in ended.text:
        ended.tracebacks.append(ended.text)
    return ended


def _shortened(error: BaseException | None) -> str:
    """The traceback's end."""
    return "Traceback: " + "".join(format_exception(error)[-3:]) if error else "Traceback"


@contextmanager
def _signals_kept() -> Iterator[None]:
    """A command hears signals in its own way, and the process of the tests in its."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _threads_seen(tracebacks: list[str]) -> Iterator[None]:
    """What threads die of is a traceback, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            threading,
            "excepthook",
            lambda ended: tracebacks.append(_shortened(ended.exc_value)),
        )
        yield


@dataclass(frozen=True)
class Fault:
    """A fault that a command did not stand."""

    nth: int
    call: Call | None
    problem: str


class Sweep:
    """A command, and what it gives without a fault; it works in `folder`, always the same."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.command, self.folder = command, folder
        self.inputs = folder.with_name(folder.name + "-inputs")
        self.inputs.mkdir(parents=True)
        command.prepare(self.inputs)
        self.begin()
        counting = NthFault(0)
        first = self._run(counting)
        assert first.code == 0, first
        self.calls = counting.count
        self.outcome = self._outcome()

    def fault(self, nth: int, lasting: bool = False) -> tuple[NthFault, Fault | None]:
        """Fail the n-th call, run again; says what was wrong, if anything."""
        self.begin()
        watcher = NthFault(nth, lasting)
        ended = self._run(watcher)
        problem = self._problem(ended)
        return watcher, problem and Fault(nth, watcher.struck, problem) or None

    def _problem(self, ended: Ended) -> str | None:
        if ended.tracebacks:
            return ended.tracebacks[0]
        if ended.code == 0:
            return self.difference("exit 0, and what is there differs")
        if ended.code not in (1, 2, 130) or not ended.text.rstrip().endswith("."):
            return f"exit {ended.code}, no sentence: {ended.text!r}"
        return self.run_again(f"after {ended.text!r}, run again")

    def run_again(self, when: str) -> str | None:
        """Run it without faults; says how that, or what is there, differs."""
        with self.command.stubs():
            again = invoke(self.command.arguments(self.folder))
        if again.code != 0 or again.tracebacks:
            return f"{when}: exit {again.code}: {again.text} {again.tracebacks}"
        return self.difference(when)

    def resume(self) -> str | None:
        """The same, unless all is there."""
        return self.difference("") and self.run_again("run again")

    def difference(self, when: str) -> str | None:
        now, before = self._outcome(), self.outcome
        names = sorted(
            name for name in now.keys() | before.keys() if now.get(name) != before.get(name)
        )
        return f"{when}: {names}" if names else None

    def _outcome(self) -> Outcome:
        """What is there, once the command that follows has been run as well."""
        if self.command.then:
            with self.command.stubs():
                assert invoke(self.command.then(self.folder)).code == 0
        return self.command.outcome(self.folder)

    def _run(self, watcher: NthFault) -> Ended:
        with self.command.stubs(), watched(self.folder, watcher):
            return invoke(self.command.arguments(self.folder))

    def begin(self) -> None:
        """The inputs, and nothing else, are there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.inputs, self.folder)
