"""Files that appear whole or not at all."""

import hashlib
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into that takes the name `path` only when the block ends well.

    A reader, or a crash at any instant, sees all of it or none: the bytes reach the disk before
    the name does. The folder is made when missing.
    """
    with appearing_path(path) as temporary, temporary.open("r+b") as file:
        yield file


@contextmanager
def appearing_path(path: Path) -> Iterator[Path]:
    """As `appearing`, for libraries that open the file themselves: the path that they write to.

    Whatever file then lies there is the one that reaches the disk and takes the name. Its
    permissions are those of any new file (0666 less the umask), even where the library has put a
    private file of its own in the place.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        mode = _created(temporary)
        yield temporary
        temporary.chmod(mode)
        _sync_file(temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _created(path: Path) -> int:
    """Make an empty file; returns the permissions that new files have here."""
    try:
        file = path.open("xb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
    with file:
        return stat.S_IMODE(os.fstat(file.fileno()).st_mode)


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Let a new name reach the disk. Windows cannot open folders; some network disks refuse."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with appearing(path) as file:
        file.write(data)


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's content."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()


def write_text_whole(path: Path, text: str) -> None:
    """`write_whole` for UTF-8 text."""
    write_whole(path, text.encode("utf-8"))
