"""Remembers what a command made of the disk, call by call, and what a power cut would leave of it.

Two disks are tried, the ends of what POSIX allows. `strict`: what was not synced is gone, contents
and names. `names`: names are all there, but contents that were not synced are gone, so that files
are empty. SQLite syncs by itself: its files are there as they were, or without what it logged since
its last checkpoint.
"""

import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .watched_calls import Call

Disk = Literal["strict", "names"]
SQLITE = ".sqlite"
Log = Mapping[str, bytes]


@dataclass
class File:
    """Content that reached the disk, and when it was changed; shared by all of its names."""

    content: bytes = b""
    changed: int = 0


@dataclass(frozen=True)
class Moment:
    """The disk after some call: path -> file, or None for a folder. Files are frozen."""

    call: Call | None
    strict: Mapping[Path, File | None]
    names: Mapping[Path, File | None]
    ledger: Log


@dataclass
class Recorder:
    """A watcher. `moments`: of the disk below `root`, after each call that changed it."""

    root: Path
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._now: dict[Path, File | None] = {}
        for path in self.root.rglob("*"):
            synced = None if path.is_dir() else File(path.read_bytes(), path.stat().st_mtime_ns)
            self._now[path] = synced
        self._synced = dict(self._now)
        self.remember(None)

    def before(self, call: Call) -> None:
        """Calls are remembered once they are done."""

    def after(self, call: Call) -> None:
        with self._lock:
            match call.kind:
                case "open" if call.path.is_file() and call.path not in self._now:
                    self._now[call.path] = File()
                case "mkdir":
                    self._now[call.path] = None
                case "unlink":
                    self._now.pop(call.path, None)
                case "rename":
                    self._rename(call)
                case "fsync":
                    self._sync(call.path)
                case "sqlite":
                    pass
                case _:
                    return
            self.remember(call)

    def _rename(self, call: Call) -> None:
        assert call.target is not None
        for path in [path for path in self._now if path.is_relative_to(call.path)]:
            target = call.target / path.relative_to(call.path)
            self._now[target] = self._now.pop(path)

    def _sync(self, path: Path) -> None:
        """The content of a file, or the names in a folder, reach the disk."""
        if path.is_dir():
            self._synced = {p: f for p, f in self._synced.items() if p.parent != path}
            self._synced |= {p: f for p, f in self._now.items() if p.parent == path}
        elif file := self._now.get(path):
            file.content, file.changed = path.read_bytes(), path.stat().st_mtime_ns

    def remember(self, call: Call | None) -> None:
        """Keep the disk as it is now."""
        log = {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob(f"*{SQLITE}*")
            if path.is_file()
        }
        self.moments.append(Moment(call, _frozen(self._synced), _frozen(self._now), log))


def _frozen(files: Mapping[Path, File | None]) -> dict[Path, File | None]:
    return {p: f and File(f.content, f.changed) for p, f in files.items() if SQLITE not in p.name}


def restore_disk(root: Path, moment: Moment, disk: Disk, logged: bool) -> None:
    """Make `root` what it is after a power cut. `logged`: SQLite's log reached the disk, too."""
    shutil.rmtree(root)
    root.mkdir()
    files = moment.strict if disk == "strict" else moment.names
    for path in sorted(files):
        file = files[path]
        if not path.parent.is_dir():  # the name of the folder above was lost
            continue
        if file is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(file.content)
            os.utime(path, ns=(file.changed, file.changed))
    for name, content in moment.ledger.items():
        path = root / name
        if path.parent.is_dir() and (logged or not name.endswith(("-wal", "-shm"))):
            path.write_bytes(content)
