"""Remembers what a command made of the disk, call by call, and what a power cut would leave of it.

Two disks are tried, the ends of what POSIX allows. `strict`: what was not synced is gone, contents
and names. `names`: names are all there, but contents that were not synced are gone, so that files
are empty. SQLite syncs by itself, with each commit: its files are there as they were.
"""

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Union

from .watched_calls import Call

Disk = Literal["strict", "names"]
SQLITE = ".sqlite"
Node = Union["File", "Folder"]


@dataclass
class File:
    """The content that reached the disk, and when it was changed."""

    content: bytes = b""
    changed: int = 0


@dataclass
class Folder:
    """What is in it by name, and what the disk knows of that."""

    names: dict[str, Node] = field(default_factory=dict)
    synced: dict[str, Node] = field(default_factory=dict)


Files = Mapping[Path, File | None]
"""Path -> its file, None for a folder; a folder comes before what is in it."""


@dataclass(frozen=True)
class Moment:
    """The disk after some call, and SQLite's files by path."""

    call: Call | None
    disks: Mapping[Disk, Files]
    ledger: Mapping[Path, bytes]


class Recorder:
    """A watcher. `moments`: of the disk below `root`, after each call that changed it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.moments: list[Moment] = []
        self._lock = threading.RLock()
        self._top = _read(root)
        self.remember(None)

    def before(self, call: Call) -> None:
        """Calls are remembered once they are done."""

    def after(self, call: Call) -> None:
        with self._lock:
            if self._follow(call):
                self.remember(call)

    def _follow(self, call: Call) -> bool:
        """Whether the call changed something."""
        above = self._folder(call.path.parent)
        match call.kind:
            case "open" if call.path.is_file() and call.path.name not in above.names:
                above.names[call.path.name] = File()
            case "mkdir":
                above.names[call.path.name] = Folder()
            case "unlink":
                above.names.pop(call.path.name, None)
            case "rename" if call.target:
                node = above.names.pop(call.path.name)
                self._folder(call.target.parent).names[call.target.name] = node
            case "fsync":
                self._sync(call.path)
            case "sqlite":
                pass
            case _:
                return False
        return True

    def _folder(self, path: Path) -> Folder:
        place = self._top
        for name in path.relative_to(self.root).parts if path.is_relative_to(self.root) else ():
            node = place.names[name]
            assert isinstance(node, Folder)
            place = node
        return place

    def _sync(self, path: Path) -> None:
        """The content of a file, or the names in a folder, reach the disk."""
        if path.is_dir():
            folder = self._folder(path)
            folder.synced = dict(folder.names)
        else:
            node = self._folder(path.parent).names.get(path.name)
            if isinstance(node, File):
                node.content, node.changed = path.read_bytes(), path.stat().st_mtime_ns

    def remember(self, call: Call | None) -> None:
        """Keep the disk as it is now."""
        ledger = {
            path: path.read_bytes() for path in self.root.rglob(f"*{SQLITE}*") if path.is_file()
        }
        disks: dict[Disk, Files] = {
            "strict": dict(_walk(self.root, self._top, "strict")),
            "names": dict(_walk(self.root, self._top, "names")),
        }
        self.moments.append(Moment(call, disks, ledger))


def _read(path: Path) -> Folder:
    """What lies there before a command begins, all of it synced."""
    found: dict[str, Node] = {
        entry.name: _read(entry)
        if entry.is_dir()
        else File(entry.read_bytes(), entry.stat().st_mtime_ns)
        for entry in path.iterdir()
    }
    return Folder(found, dict(found))


def _walk(path: Path, folder: Folder, disk: Disk) -> Iterator[tuple[Path, File | None]]:
    for name, node in (folder.names if disk == "names" else folder.synced).items():
        if isinstance(node, Folder):
            yield path / name, None
            yield from _walk(path / name, node, disk)
        elif SQLITE not in name:
            yield path / name, File(node.content, node.changed)


def restore_disk(root: Path, moment: Moment, disk: Disk) -> None:
    """Make `root` what it is after a power cut."""
    shutil.rmtree(root)
    root.mkdir()
    for path, file in moment.disks[disk].items():
        if file is None:
            path.mkdir()
        else:
            path.write_bytes(file.content)
            os.utime(path, ns=(file.changed, file.changed))
    for path, content in moment.ledger.items():
        if path.parent.is_dir():
            path.write_bytes(content)
