"""The one server that `manyshot server start` leaves running until `manyshot server stop`."""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from ...core.files import write_text_atomic
from ...core.version import read_version
from .base_directory import LOCK
from .cache_folders import background_folder, cache_folder, usable_folder
from .embedded_server import EmbeddedServer
from .locks import is_locked
from .ports import keep_port, kept_port, last_port
from .ready import POLL_SECONDS, ServerFacts, read_facts, system_stats
from .server_settings import Progress, ServerSettings

STOP_SECONDS = 15.0
CLOCK_SECONDS = 2.0  # how far two readings of one process's start may lie apart


class BackgroundServer(BaseModel):
    """What the state file says; the starts tell a recycled process id apart.

    `..._started`: s since 1970, which shift when the clock is set; `..._start`: as `start_mark` has
    it, which does not; None where the system has none, and in files of earlier versions.
    `manyshot`: the version whose nodes it has loaded.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    version: str
    folder: Path
    log: Path
    guardian: int
    guardian_started: float
    comfyui: int
    comfyui_started: float
    manyshot: str | None = None
    guardian_start: str | None = None
    comfyui_start: str | None = None

    def facts(self) -> ServerFacts | None:
        """What the server itself says, or None when it does not answer."""
        stats = system_stats(self.url)
        return None if stats is None else read_facts(stats)

    def processes(self) -> list[psutil.Process]:
        """Those of its two processes that still run."""
        noted = (
            (self.guardian, self.guardian_started, self.guardian_start),
            (self.comfyui, self.comfyui_started, self.comfyui_start),
        )
        return [running for process in noted if (running := _same_process(*process))]


def find_background() -> BackgroundServer | None:
    """The background server, if one runs."""
    try:
        state = BackgroundServer.model_validate_json(_state_file().read_bytes())
    except (OSError, ValidationError):
        return None
    return state if state.processes() else None


def start_background(settings: ServerSettings, progress: Progress) -> tuple[BackgroundServer, bool]:
    """The background server, and whether it was started now rather than found running.

    Until its state is written it ends with this process, so a start that is interrupted leaves
    nothing behind. Raises what EmbeddedServer raises.
    """
    with _lock():
        running = find_background()
        if running is not None:
            return running, False
        with EmbeddedServer(with_kept_folder(settings, progress), progress) as server:
            keep_port(server.port)
            state = _describe(server)
            write_text_atomic(_state_file(), state.model_dump_json(indent=2) + "\n")
            server.detach()
        return state, True


def stop_background() -> BackgroundServer | None:
    """End the background server; what was ended, or None when none ran."""
    with _lock():
        running = find_background()
        if running is not None:
            _end(running)
        _state_file().unlink(missing_ok=True)
        return running


def with_kept_folder(settings: ServerSettings, progress: Progress) -> ServerSettings:
    """`settings` with a base directory that is kept, for what a person makes there is theirs, and
    with the port that the server had last; another one, and a sentence, where that is taken."""
    folder = settings.base_directory or background_folder()
    previous = settings.port or kept_port()
    port = settings.port or last_port()
    if previous != port:
        progress(f"Port {previous}, which the server used last, is taken; using another.")
    return replace(settings, base_directory=folder, port=port)


def _end(server: BackgroundServer) -> None:
    """Ask both processes to end, then kill what is left; its folder is free afterwards."""
    for signal in (psutil.Process.terminate, psutil.Process.kill):
        for process in server.processes():
            with suppress(psutil.NoSuchProcess):
                signal(process)
        until = time.monotonic() + STOP_SECONDS
        while _holds(server) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)


def _holds(server: BackgroundServer) -> bool:
    """Whether anything of it is left. (Its last threads may outlive its process ids a little.)"""
    return bool(server.processes()) or is_locked(server.folder / LOCK)


def start_mark(pid: int) -> str | None:
    """What tells the process `pid` from all others that had, or will have, its number: this boot
    of Linux and the clock ticks since (proc(5), stat, field 22). None on other systems."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return f"{boot} {stat.rpartition(')')[2].split()[19]}"


def _same_process(pid: int, started: float, mark: str | None) -> psutil.Process | None:
    """The process `pid` if it is the one that was noted, and not a dead one's remains."""
    try:
        process = psutil.Process(pid)
        now = start_mark(pid) if mark else None
        same = now == mark if now else abs(process.create_time() - started) < CLOCK_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _describe(server: EmbeddedServer) -> BackgroundServer:
    process = server.process
    return BackgroundServer(
        url=server.url,
        version=server.facts.version,
        folder=server.folder,
        log=server.log,
        guardian=process.guardian,
        guardian_started=psutil.Process(process.guardian).create_time(),
        comfyui=process.pid,
        comfyui_started=psutil.Process(process.pid).create_time(),
        manyshot=read_version(),
        guardian_start=start_mark(process.guardian),
        comfyui_start=start_mark(process.pid),
    )


def _state_file() -> Path:
    return cache_folder() / "server.json"


def _lock() -> FileLock:
    """Held while the background server is started or stopped: one of them at a time."""
    return FileLock(usable_folder(cache_folder()) / "server.lock")
