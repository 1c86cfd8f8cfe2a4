"""Files that appear whole or not at all."""

import errno
import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

MOST_BYTES = 64 * 2**20  # of a text that somebody gives
TORN = "*.part"
_TORN = re.compile(r"\.[0-9a-f]{32}\.part")
OUT_OF_REACH = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES, errno.EPERM)
"""What says nothing of a file that cannot be read: it may be whole."""
NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM)
"""What disks answer that cannot sync a folder, as some of the network."""


@contextmanager
def open_atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into that takes the name `path` only when the block ends well.

    A reader, or a crash at any instant, sees all of it or none: the bytes reach the disk before
    the name does. The folder is made when missing.
    """
    temporary = _temporary_name(path)
    try:
        with _create(temporary) as file:
            yield file
        _take_name(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """As `appearing`, for libraries that open the file themselves: the path that they write to.

    Whatever file then lies there is the one that reaches the disk and takes the name. Its
    permissions are those of any new file (0666 less the umask), even where the library has put a
    private file of its own in the place. It lies in a folder of its own, for what a library that is
    killed leaves beside it.
    """
    place = _temporary_name(path)
    try:
        make_folder(path.parent)
        place.mkdir()
        temporary = place / path.name
        with _create(temporary) as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        yield temporary
        temporary.chmod(mode)
        _take_name(temporary, path)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _temporary_name(path: Path) -> Path:
    """A name beside `path` that no other has."""
    return path.with_name(f".{uuid.uuid4().hex}.part")


def _take_name(temporary: Path, path: Path) -> None:
    """The file has its name once its bytes, and then the name, have reached the disk."""
    sync_file(temporary)
    temporary.replace(path)
    sync_folder(path.parent)


def _create(path: Path) -> IO[bytes]:
    try:
        return path.open("x+b")
    except FileNotFoundError:
        make_folder(path.parent)
        return path.open("x+b")


def make_folder(path: Path) -> None:
    """Make a folder and those above it, as far as they are missing; their names reach the disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        sync_folder(folder.parent)


def remove_partial(folder: Path, below: Iterable[str] = ()) -> None:
    """Remove what killed processes left half written in a folder, and in those that patterns
    `below` name. For whoever keeps others from writing there."""
    for pattern in (TORN, *(f"{name}/{TORN}" for name in below)):
        for path in folder.glob(pattern):
            if not _TORN.fullmatch(path.name):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file have reached the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until new names in a folder have reached the disk. Windows cannot open folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with open_atomic(path) as file:
        file.write(data)


def check_regular(path: Path) -> None:
    """Raises OSError for what is no plain file: to open a pipe waits for ever, a device never ends.

    Raises FileNotFoundError for a link that leads nowhere, too.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))


def open_regular(path: Path) -> IO[bytes]:
    """A file, open to be read. Raises OSError, as `check_regular` does."""
    check_regular(path)
    return path.open("rb")


def read_regular(path: Path) -> bytes:
    """The content of a file. Raises OSError as `open_regular` does."""
    with open_regular(path) as file:
        return file.read()


def hash_file(path: Path) -> str:
    """Hex sha256 of a file's content. Raises OSError as `open_regular` does."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def write_text_atomic(path: Path, text: str) -> None:
    """`write_atomic` for UTF-8 text."""
    write_atomic(path, text.encode("utf-8"))
