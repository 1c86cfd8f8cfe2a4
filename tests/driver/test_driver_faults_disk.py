"""A disk that is full or may not be written: a sentence, and the next run makes the rest."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from manyshot.core import files
from manyshot.core.errors import InputError, ManyshotError
from manyshot.driver.embedded import EmbeddedServer

from ..support.fault_runs import colours, drive, images, is_whole, queue, wait_for

pytestmark = pytest.mark.server
Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small file system of its own, with these options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def call(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("file systems can only be mounted by root")
        return folder

    yield call
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def test_a_disk_that_fills_up(tmp_path: Path, mount: Mount, comfyui: EmbeddedServer) -> None:
    disk = mount("size=1m")
    recipe = colours(tmp_path, [comfyui.url], 400, output=str(disk / "out"))
    summary = drive(recipe)
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert "No space left on device" in summary.stopped or "disk is full" in summary.stopped
    assert 0 < summary.counts.done < 400
    assert summary.counts.failed == 0
    assert wait_for(lambda: queue(comfyui.url) == [])
    mount("remount,size=64m")
    assert drive(recipe).exit_code == 0
    is_whole(recipe)


@pytest.mark.parametrize("pages", [1, 2, 6, 12, 20, 30, 40, 60, 80, 100, 150, 250])
def test_a_disk_that_is_full_at_each_step(
    tmp_path: Path, mount: Mount, comfyui: EmbeddedServer, pages: int
) -> None:
    """Before the ledger, in it, in the manifest, among the pictures: always a sentence."""
    disk = mount(f"size={4 * pages}k")
    recipe = colours(tmp_path, [comfyui.url], 300, output=str(disk / "out"))
    try:
        summary = drive(recipe)
    except ManyshotError as error:
        said = str(error)
    else:
        assert summary.exit_code == 1
        said = summary.stopped or ""
    assert str(disk) in said
    assert wait_for(lambda: queue(comfyui.url) == [])
    mount("remount,size=64m")
    assert drive(recipe).exit_code == 0
    is_whole(recipe)


def test_a_folder_that_may_not_be_written(
    tmp_path: Path, mount: Mount, comfyui: EmbeddedServer
) -> None:
    disk = mount("size=1m,ro")
    with pytest.raises(InputError, match=str(disk)):
        drive(colours(tmp_path, [comfyui.url], 5, output=str(disk / "out")))


def test_an_output_below_a_file(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file/out"):
        drive(colours(tmp_path, [comfyui.url], 5, output=str(tmp_path / "file" / "out")))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_in_between(
    tmp_path: Path, comfyui: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    """The tenth picture cannot be written; the error's own words are shown."""
    owner = os if step == "fsync" else Path
    real = getattr(owner, step)
    calls: list[int] = []

    def fails(*arguments: object) -> object:
        if "images" in str(arguments[0]) or step == "fsync":
            calls.append(1)
            if len(calls) > 10:
                raise OSError(number, os.strerror(number))
        return real(*arguments)

    monkeypatch.setattr(files.os if step == "fsync" else Path, step, fails)
    recipe = colours(tmp_path, [comfyui.url], 40)
    summary = drive(recipe)
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert os.strerror(number) in summary.stopped
    monkeypatch.undo()
    assert drive(recipe).exit_code == 0
    is_whole(recipe)
    assert not list(recipe.output.glob("images/**/*.part"))


def test_the_ledger_breaks(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """Something else holds the ledger for longer than we wait for it."""
    code = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "db.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()"
    )
    recipe = colours(tmp_path, [comfyui.url], 60)
    held: list[subprocess.Popen[str]] = []

    def hold() -> None:
        command = [sys.executable, "-c", code, str(recipe.output / ".manyshot.sqlite")]
        held.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert held[0].stdout is not None
        held[0].stdout.readline()

    summary = drive(recipe, (images(5), hold))
    held[0].communicate("")
    assert summary.exit_code == 1
    assert summary.stopped is not None
    assert "locked" in summary.stopped
    assert drive(recipe).exit_code == 0
    is_whole(recipe)
