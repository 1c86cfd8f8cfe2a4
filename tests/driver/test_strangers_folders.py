"""Folders and recipes of strangers: nothing outside of them is read, sent, written or deleted."""

import json
import sqlite3
from pathlib import Path

import psutil
import pytest
from manyshot.core.errors import InputError
from manyshot.core.new_folder import new_folder
from manyshot.core.record_file import add_records
from manyshot.core.sole_use import sole_use
from manyshot.driver.audit import list_files
from manyshot.driver.contact_sheet import write_contact_sheets
from manyshot.driver.dataset import run_log
from manyshot.driver.embedded.background import BackgroundServer, start_mark
from manyshot.driver.job import Job
from manyshot.driver.ledger import FILE_NAME, Ledger
from manyshot.driver.picture_files import check_pictures, upload_name
from PIL import Image

ID = "0" * 32


def test_only_pictures_are_sent(tmp_path: Path) -> None:
    secret, picture = tmp_path / "id_rsa.png", tmp_path / "a.png"
    secret.write_text("-----BEGIN OPENSSH PRIVATE KEY-----")
    Image.new("RGB", (2, 2)).save(picture)
    check_pictures([str(picture)])
    for path in (secret, tmp_path / "none.png", tmp_path):
        with pytest.raises(InputError, match=rf"The picture {path} cannot be read"):
            check_pictures([str(picture), str(path)])
    assert upload_name(str(picture)).endswith(".png")
    with pytest.raises(InputError, match="cannot be read"):
        upload_name(str(secret))


def _ledger(folder: Path, **changes: object) -> None:
    ledger = Ledger(folder)
    list(ledger.read_plan([Job(ID, "cat", 0, 0, "a", "", 1)]))
    ledger.take_plan("f")
    ledger.close()
    for column, value in changes.items():
        with sqlite3.connect(folder / FILE_NAME) as db:
            db.execute(f"UPDATE jobs SET {column} = ?", (value,))
        db.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"class_name": "../../a", "job": json.dumps({"id": ID, "class_name": "../../a"})},
        {"class_name": "/etc", "job": json.dumps({"id": ID, "class_name": "/etc"})},
        {"job": json.dumps({"id": ID, "class_name": "../b"})},
        {"job": json.dumps({"id": "../b", "class_name": "cat"})},
        {"images": 10**12},
        {"images": "x"},
    ],
)
def test_a_ledger_that_leads_elsewhere_is_damaged(tmp_path: Path, changes: dict) -> None:
    _ledger(tmp_path, **changes)
    with pytest.raises(InputError, match="is damaged"):
        Ledger(tmp_path, read_only=True)


@pytest.mark.parametrize("text", ["3", "[]", '{"images": 3}', '{"images": [3]}', "null"])
def test_facts_of_another_form_say_nothing(text: str) -> None:
    (file,) = list_files(ID, "cat", 1, 0, text)
    assert file.noted is None


def test_nothing_is_written_through_links(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "set"
    outside.write_bytes(b"")
    (folder / "images" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(folder / "images" / "cat" / f"{ID}_0.png")
    for name in ("contact_sheet.png", "manyshot.log", "metadata.jsonl"):
        (folder / name).symlink_to(outside)
    write_contact_sheets(folder)
    with run_log(folder):
        pass
    add_records(folder, [{"file_name": f"images/cat/{ID}_0.png", "class_name": "cat"}])
    assert outside.read_bytes() == b""
    (folder / FILE_NAME).symlink_to(outside)
    with pytest.raises(InputError, match="is a link to another file"):
        Ledger(folder)


def test_an_output_is_of_one_process(tmp_path: Path) -> None:
    with new_folder(tmp_path / "out") as place:
        (place / "a").write_text("1")
        busy = pytest.raises(InputError, match=r"Another manyshot is using .*out\.")
        with busy, new_folder(tmp_path / "out"):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_full_disk_shows_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("manyshot.core.sole_use.os.fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left"), sole_use(tmp_path):
        pytest.fail("the work began")


def test_a_server_is_known_after_the_clock_was_set(tmp_path: Path) -> None:
    process = psutil.Process()
    mark = start_mark(process.pid)
    if mark is None:
        pytest.skip("this system has no marks")
    shifted = process.create_time() + 3600

    def server(mark: str | None) -> BackgroundServer:
        return BackgroundServer(
            url="", version="", folder=tmp_path, log=tmp_path, guardian=process.pid,
            guardian_started=shifted, comfyui=process.pid, comfyui_started=shifted,
            guardian_start=mark, comfyui_start=mark,
        )  # fmt: skip

    assert server(mark).processes() == [process, process]
    assert server(f"{mark}1").processes() == server(None).processes() == []
