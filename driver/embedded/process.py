"""The asking side of the guardian: start a guarded process, watch it, end it."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from ...core.errors import ServerError
from .guardian import GRACE_SECONDS, kill_group

GUARDIAN = Path(__file__).with_name("guardian.py")


class GuardedProcess:
    """A process that ends with this one, however this one ends, unless it is detached.

    pid       the process itself, head of its process group
    guardian  the process that watches over it
    """

    def __init__(
        self, command: list[str], folder: Path, log: Path, lock: int, **environment: str
    ) -> None:
        """Start `command` in `folder`. Raises ServerError when it cannot even be started."""
        self._guardian = subprocess.Popen(
            [sys.executable, "-S", "-E", str(GUARDIAN), str(log), str(lock), *command],
            cwd=folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C in the terminal is for the asking process alone
        )
        assert self._guardian.stdout is not None
        with self._guardian.stdout as first_line:
            pid_text = first_line.readline().strip()
        if not pid_text:
            self._close_pipe()
            self._guardian.wait()
            raise ServerError(f"{command[0]} could not be started; see {log}.")
        self.pid = int(pid_text)
        self.guardian = self._guardian.pid

    def wait(self, seconds: float | None) -> int | None:
        """The exit code, waiting at most `seconds` for it (None: for ever); None while it runs."""
        try:
            return self._guardian.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def detach(self) -> None:
        """Let it live on after this process, until somebody stops its guardian."""
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(b"detach\n")
        self._close_pipe()

    def stop(self) -> None:
        """End it: politely first, then not. Afterwards nothing of it is left."""
        self._close_pipe()
        if self.wait(GRACE_SECONDS + 5) is None:
            self._guardian.kill()
            self._guardian.wait()
        kill_group(self.pid, signal.SIGKILL)  # where the guardian was killed outside of Linux

    def kill(self) -> None:
        """kill -9 the process, as a crash would; for fault tests."""
        kill_group(self.pid, signal.SIGKILL)
        self._guardian.wait()

    def _close_pipe(self) -> None:
        assert self._guardian.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guardian.stdin.close()
