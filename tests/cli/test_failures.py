"""What fails below a command is told in a sentence, and is not blamed on files that are whole."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest
from manyshot.cli.failures import NO_MEMORY, failure_of
from manyshot.core.errors import InputError, ManyshotError
from manyshot.core.files import make_folder, sync_folder
from manyshot.core.images import UnreadableImageError, open_rgb
from manyshot.driver.audit import is_png
from PIL import Image

SENTENCES: list[tuple[Exception, int, str]] = [
    (InputError("Give a path."), 2, "Give a path."),
    (ManyshotError("It failed."), 1, "It failed."),
    (OSError(errno.ENOSPC, "No space left on device", "a.png"), 1, "Reading or writing a.png fai"),
    (OSError(errno.EIO, "Input/output error"), 1, "Reading or writing a file failed: Input/output"),
    (FileNotFoundError(errno.ENOENT, "No such file", "a"), 1, "Reading or writing a failed: No s"),
    (PermissionError(errno.EACCES, "Permission denied", "a"), 2, "a: Permission denied."),
    (sqlite3.OperationalError("disk I/O error"), 1, "A ledger cannot be read or written: disk I/O"),
    (MemoryError(), 1, NO_MEMORY),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 1, NO_MEMORY),
    (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 1, NO_MEMORY),
]


@pytest.mark.parametrize(("error", "code", "start"), SENTENCES)
def test_each_failure_has_a_sentence(error: Exception, code: int, start: str) -> None:
    failure = failure_of(error)
    assert failure is not None
    assert failure.exit_code == code
    assert failure.sentence.startswith(start)
    assert failure.sentence.endswith(".")


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), ModuleNotFoundError()])
def test_a_mistake_of_ours_keeps_its_traceback(error: Exception) -> None:
    assert failure_of(error) is None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_machine_that_is_full_does_not_damage_an_image(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(path)

    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Image, "open", fails)
    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(OSError, match=os.strerror(number)):
        open_rgb(path)
    with pytest.raises(OSError, match=os.strerror(number)):
        is_png(path)
    monkeypatch.undo()
    path.write_bytes(b"no image")
    with pytest.raises(UnreadableImageError):
        open_rgb(path)
    assert not is_png(path)


@pytest.mark.parametrize(
    ("number", "told"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)]
)
def test_a_disk_may_not_know_how_to_sync_folders(
    number: int, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    if told:
        with pytest.raises(OSError, match=os.strerror(number)):
            sync_folder(tmp_path)
    else:
        sync_folder(tmp_path)


def test_each_new_folder_reaches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("manyshot.core.files.sync_folder", synced.append)
    make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]
    make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2
