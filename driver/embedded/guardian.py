"""Runs one ComfyUI, keeps its log, and makes sure that it never outlives whoever asked for it.

    python guardian.py LOG LOCK COMMAND...

A process of its own, standard library only. Its standard input is a pipe that the asking process
holds: the end of it, however it comes (exit, exception, signal, kill -9), ends ComfyUI. The word
"detach" on it means that ComfyUI is meant to stay until it is stopped. Should the guardian itself
be killed, Linux kills ComfyUI with it. The first line it writes is ComfyUI's process id; its exit
code is ComfyUI's.
"""

import ctypes
import logging
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

GRACE_SECONDS = 5.0
LOG_BYTES, LOG_FILES = 20_000_000, 4
ENDING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
KILLED_BY_PARENT_DEATH = 1  # PR_SET_PDEATHSIG


def main(log_path: str, lock: int, command: list[str]) -> int:
    """Run `command` until it ends or has to; its exit code."""
    log = open_log(Path(log_path))
    try:
        child = start(command, lock)
    except OSError:
        log.exception("%s could not be started", command[0])
        return 127
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # watch_signals takes them
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    copier = in_background(copy_lines, child, log)
    in_background(watch_parent, child, os.getppid())
    in_background(watch_signals, child)
    code = child.wait()
    kill_group(child.pid, signal.SIGKILL)  # whatever ComfyUI started itself
    copier.join(timeout=2)
    return code if code >= 0 else 128 - code


def open_log(path: Path) -> logging.Logger:
    """A log that begins a new file now, and again whenever one is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    if path.stat().st_size:
        handler.doRollover()
    log = logging.getLogger("comfyui")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    return log


def start(command: list[str], lock: int) -> subprocess.Popen[bytes]:
    """Start `command` as the head of its own process group; it holds `lock` too."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=(lock,),
        preexec_fn=die_with_parent(),
    )


def die_with_parent() -> Callable[[], None] | None:
    """What the child does before it becomes ComfyUI: ask Linux to kill it with the guardian."""
    if not sys.platform.startswith("linux"):
        return None
    guardian, library = os.getpid(), ctypes.CDLL(None)

    def ask() -> None:
        library.prctl(KILLED_BY_PARENT_DEATH, signal.SIGKILL)
        if os.getppid() != guardian:  # it died before we asked
            os._exit(1)

    return ask


def in_background(function: Callable[..., None], *arguments: object) -> threading.Thread:
    """Run `function` in a thread that does not keep the guardian alive."""
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def copy_lines(child: subprocess.Popen[bytes], log: logging.Logger) -> None:
    """Log what ComfyUI writes; of a progress bar that redraws its line only the last state."""
    assert child.stdout is not None
    for line in child.stdout:
        shown = line.rstrip(b"\r\n").rpartition(b"\r")[2]
        log.info("%s", shown.decode("utf-8", "replace"))


def watch_parent(child: subprocess.Popen[bytes], parent: int) -> None:
    """Stop `child` when the asking process is gone, unless it says "detach" first."""
    while True:
        readable, _, _ = select.select([0], [], [], 1.0)
        if readable:
            if os.read(0, 64).startswith(b"detach"):
                return
            break
        if os.getppid() != parent:  # a forked copy of it may still hold the pipe
            break
    stop(child)


def watch_signals(child: subprocess.Popen[bytes]) -> None:
    """Stop `child` at the first signal. (A Python handler would wait for the main thread.)"""
    signal.sigwait(ENDING)
    stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ask ComfyUI and all it started to end; kill what is left after GRACE_SECONDS."""
    kill_group(child.pid, signal.SIGTERM)
    timer = threading.Timer(GRACE_SECONDS, kill_group, (child.pid, signal.SIGKILL))
    timer.daemon = True
    timer.start()


def kill_group(leader: int, number: int) -> None:
    """Send a signal to a process group; one that is gone already is as good."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
