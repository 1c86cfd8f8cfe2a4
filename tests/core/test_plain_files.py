"""Pipes, devices and folders in the place of files: a sentence at once, and no end of memory."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.core.files import check_regular, hash_file, read_regular
from manyshot.core.images import open_image
from manyshot.core.json_text import read_json
from manyshot.core.metadata_lines import read_lines
from manyshot.core.model_family import file_facts
from manyshot.core.record_file import add_records
from manyshot.core.records import METADATA, read_records
from manyshot.core.subject_file import read_subject_file
from manyshot.core.text_file import read_text_file
from manyshot.driver.audit import is_png
from manyshot.driver.ledger import FILE_NAME, Ledger
from manyshot.driver.picture_files import upload_name
from manyshot.driver.recipe import read_recipe
from manyshot.driver.upkeep import repair, verify
from manyshot.trainer.subjects.evaluation.evaluation_results import read_results
from manyshot.trainer.subjects.open_base import _keys
from PIL import Image

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
ROW = {"file_name": "images/cat/1.png", "class_name": "cat", "prompt": "", "seed": 1}

READERS: list[tuple[str, Callable[[Path], object]]] = [
    ("a.yaml", read_recipe),
    ("a.txt", lambda path: read_text_file(path, "list")),
    ("a.png", open_image),
    ("a.png", lambda path: upload_name(str(path))),
    ("a.safetensors", read_subject_file),
    (METADATA, lambda path: list(read_records(path.parent))),
    (METADATA, lambda path: list(read_lines(path.parent))),
    ("a.json", read_results),
    ("a.safetensors", _keys),
    (FILE_NAME, lambda path: Ledger(path.parent, read_only=True)),
    (FILE_NAME, lambda path: Ledger(path.parent)),
]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("put", [_pipe, _device, Path.mkdir])
@pytest.mark.parametrize(("name", "read"), READERS)
def test_what_is_no_plain_file_is_refused(
    tmp_path: Path, name: str, read: Callable[[Path], object], put: Callable[[Path], None]
) -> None:
    put(tmp_path / name)
    with pytest.raises(InputError, match=name):
        read(tmp_path / name)


@pytest.mark.parametrize("put", [_pipe, _device, Path.mkdir])
def test_readers_that_raise_errors_of_the_disk(tmp_path: Path, put: Callable[[Path], None]) -> None:
    path = tmp_path / "a.safetensors"
    put(path)
    for read in (check_regular, read_regular, hash_file, read_json):
        with pytest.raises(OSError, match=r"not a file|directory"):
            read(path)
    assert not is_png(path)
    assert file_facts(path) is None


def test_a_pipe_for_metadata_takes_no_records(tmp_path: Path) -> None:
    _pipe(tmp_path / METADATA)
    with pytest.raises((InputError, OSError), match="not a file"):
        add_records(tmp_path, [ROW])


@pytest.mark.parametrize("put", [_pipe, Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_metadata_that_cannot_be_read_is_no_empty_success(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    put(tmp_path / METADATA)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match=f"{METADATA} cannot be read"):
        verify(tmp_path, read_data=False)


def test_text_without_end_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyshot.core.text_file.MOST_BYTES", 3)
    path = tmp_path / "list.txt"
    path.write_text("four")
    with pytest.raises(InputError, match="larger than 3 bytes"):
        read_text_file(path, "list")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder as Save Labelled makes it: no ledger, and no sha256 in its lines."""
    path = tmp_path / ROW["file_name"]
    path.parent.mkdir(parents=True)
    Image.new("RGB", (64, 64), "red").save(path)
    add_records(tmp_path, [ROW])
    return path


@pytest.mark.parametrize("change", [lambda data: b"", lambda data: data[:-20], lambda data: b"a"])
def test_a_damaged_image_shows_where_no_ledger_notes_it(
    labelled: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    assert verify(tmp_path, read_data=False).is_good
    labelled.write_bytes(change(labelled.read_bytes()))
    assert verify(tmp_path, read_data=False).damaged == (ROW["file_name"],)


def test_repair_of_a_folder_that_no_run_made_leaves_it_verifiable(
    labelled: Path, tmp_path: Path
) -> None:
    assert repair(tmp_path).condition == verify(tmp_path, read_data=False)
    assert verify(tmp_path, read_data=False).whole == 1
    labelled.unlink()
    assert repair(tmp_path).condition.gone == (ROW["file_name"],)


def test_a_ledger_moved_away_as_advised_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "images" / "cat" / f"{'0' * 32}_0.png")
    _pipe(tmp_path / FILE_NAME)
    with pytest.raises(InputError, match="Move it away"):
        verify(tmp_path, read_data=False)
    (tmp_path / FILE_NAME).unlink()
    assert repair(tmp_path).restored == 1


@pytest.mark.parametrize("cut", [lambda text: text[:-9], lambda text: text.splitlines(True)[0]])
def test_images_whose_lines_were_cut_off_are_named(
    labelled: Path, tmp_path: Path, cut: Callable[[str], str]
) -> None:
    second = labelled.with_name("2.png")
    shutil.copy(labelled, second)
    add_records(tmp_path, [{**ROW, "file_name": "images/cat/2.png"}])
    assert verify(tmp_path, read_data=False).is_good
    metadata = tmp_path / METADATA
    metadata.write_text(cut(metadata.read_text()))
    condition = verify(tmp_path, read_data=False)
    assert (condition.whole, condition.unlisted) == (1, ("images/cat/2.png",))
    assert not condition.is_good


def test_a_line_twice_counts_once(labelled: Path, tmp_path: Path) -> None:
    metadata = tmp_path / METADATA
    metadata.write_text(metadata.read_text() * 2)
    assert verify(tmp_path, read_data=False).planned == 1


def test_results_that_are_no_text_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="is not a subject evaluation"):
        read_results(tmp_path / "a.json")
