"""Every call by which a command reaches the disk, SQLite or much memory, made known to a watcher.

The seam for tests that fail the n-th of them, and for those that cut the power in between.
"""

import builtins
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pytest
from PIL import Image, ImageFile

Kind = Literal["open", "write", "fsync", "rename", "mkdir", "unlink", "sqlite", "memory"]
WRITING = frozenset("wax+")


@dataclass(frozen=True)
class Call:
    """`path` is what it works on, `target` the new name of a rename."""

    kind: Kind
    path: Path
    target: Path | None = None


class Watcher(Protocol):
    """`before` may raise: the call then fails with that, and `after` is not told."""

    def before(self, call: Call) -> None: ...
    def after(self, call: Call) -> None: ...


@contextmanager
def watched(root: Path, watcher: Watcher) -> Iterator[None]:
    """Calls on files below `root`, and every allocation of pictures and arrays, in all threads."""
    with pytest.MonkeyPatch.context() as patch:
        seam = _Seam(root.resolve(), watcher)
        real_open = io.open
        for owner in (io, builtins):
            patch.setattr(owner, "open", seam.open(real_open))
        _watch_os(patch, seam)
        patch.setattr(sqlite3, "connect", seam.connect(sqlite3.connect))
        for owner, name in ALLOCATING:
            patch.setattr(owner, name, seam.counted("memory", getattr(owner, name)))
        _watch_libraries(patch, seam)
        yield


ALLOCATING: tuple[tuple[Any, str], ...] = (
    (ImageFile.ImageFile, "load"),
    (Image, "new"),
    (Image, "fromarray"),
    (np, "stack"),
)


def _watch_os(patch: pytest.MonkeyPatch, seam: "_Seam") -> None:
    patch.setattr(os, "open", seam.of_path("open", os.open))
    patch.setattr(os, "mkdir", seam.of_path("mkdir", os.mkdir))
    patch.setattr(os, "unlink", seam.of_path("unlink", os.unlink))
    patch.setattr(os, "rmdir", seam.of_path("unlink", os.rmdir))
    for name in ("rename", "replace", "link"):
        patch.setattr(os, name, seam.of_names(getattr(os, name)))
    patch.setattr(os, "fsync", seam.of_handle("fsync", os.fsync))
    patch.setattr(os, "sendfile", seam.of_handle("write", os.sendfile))


def _watch_libraries(patch: pytest.MonkeyPatch, seam: "_Seam") -> None:
    """Those that write without Python; a call of theirs counts as one write."""
    try:
        from manyshot.trainer import tensor_files
        from safetensors import SafetensorError
    except ImportError:
        pass
    else:
        save_file = tensor_files.save_file
        saved = seam.counted("write", lambda path, tensors, facts: save_file(tensors, path, facts))

        def save(tensors: Any, path: Path, facts: Any) -> None:
            try:
                saved(path, tensors, facts)
            except OSError as error:
                raise SafetensorError(f"I/O error: {error.strerror} (os error 1)") from None

        patch.setattr(tensor_files, "save_file", save)
    try:
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        return
    for name in ("write_table", "close"):
        patch.setattr(ParquetWriter, name, seam.counted("write", getattr(ParquetWriter, name)))


class _Seam:
    """Wraps functions so that the watcher is asked."""

    def __init__(self, root: Path, watcher: Watcher) -> None:
        self.root, self.watcher = root, watcher

    def counted(self, kind: Kind, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            path = given[0] if given and isinstance(given[0], str | Path) else self.root
            return self.asked(Call(kind, Path(path)), lambda: real(*given, **named))

        return call

    def of_path(self, kind: Kind, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *given: Any, **named: Any) -> Any:
            place = self.place(path) if named.get("dir_fd") is None else None
            if place is None:
                return real(path, *given, **named)
            return self.asked(Call(kind, place), lambda: real(path, *given, **named))

        return call

    def of_names(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Any, target: Any, **named: Any) -> Any:
            place = self.place(target)
            if place is None:
                return real(source, target, **named)
            call = Call("rename", Path(source).absolute(), place)
            return self.asked(call, lambda: real(source, target, **named))

        return call

    def of_handle(self, kind: Kind, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(handle: int, *given: Any) -> Any:
            place = self.place(Path(f"/proc/self/fd/{handle}").readlink())
            if place is None:
                return real(handle, *given)
            return self.asked(Call(kind, place), lambda: real(handle, *given))

        return call

    def open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
            place = self.place(file)
            if place is None:
                return real(file, mode, *given, **named)
            if not WRITING & set(mode):
                return self.asked(Call("open", place), lambda: real(file, mode, *given, **named))
            return self.asked(
                Call("open", place), lambda: self._writable(place, mode, *given, **named)
            )

        return call

    def _writable(
        self,
        path: Path,
        mode: str,
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        seam = self

        class Watched(io.FileIO):
            def write(self, data: Any, /) -> int:
                return seam.asked(Call("write", path), lambda: io.FileIO.write(self, data))

        raw = Watched(path, mode.replace("b", "").replace("t", ""))
        file = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return file if "b" in mode else io.TextIOWrapper(file, encoding, errors, newline)

    def connect(self, real: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        seam = self

        class Watched(sqlite3.Connection):
            def execute(self, *given: Any) -> Any:
                return seam.statement(lambda: sqlite3.Connection.execute(self, *given))

            def executemany(self, *given: Any) -> Any:
                return seam.statement(lambda: sqlite3.Connection.executemany(self, *given))

            def executescript(self, *given: Any) -> Any:
                return seam.statement(lambda: sqlite3.Connection.executescript(self, *given))

            def __exit__(self, kind: Any, *given: Any) -> Any:
                if kind is None:
                    try:
                        seam.statement(lambda: None)
                    except BaseException:
                        self.rollback()
                        raise
                return sqlite3.Connection.__exit__(self, kind, *given)

        return lambda *given, **named: seam.statement(
            lambda: real(*given, factory=Watched, **named)
        )

    def statement(self, real: Callable[[], Any]) -> Any:
        return self.asked(Call("sqlite", self.root), real)

    def place(self, path: Any) -> Path | None:
        """The path below the root, or None for another."""
        if not isinstance(path, str | os.PathLike):
            return None
        place = Path(path).absolute()
        return place if place.is_relative_to(self.root) else None

    def asked(self, call: Call, real: Callable[[], Any]) -> Any:
        self.watcher.before(call)
        outcome = real()
        self.watcher.after(call)
        return outcome
