"""Files that appear whole, names that stay inside, records that read back."""

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.errors import InputError
from manyshot.core.files import atomic_path, open_atomic, write_atomic, write_text_atomic
from manyshot.core.paths import MAX_NAME_BYTES, inside, relative_name, safe_name
from manyshot.core.records import METADATA, Record, class_names, image_name, read_records

HOSTILE = ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", "C:\\x", "a\0b", "a\nb", "CON",
           "nul.png", " a", "a ", "a.", ".hidden", "x" * (MAX_NAME_BYTES + 1), "é" * 101,
           "a:b", "a*b", 'a"b', "<a>", "a|b", "a?b", "\u202e/x", "\ud800",
           "a\udcffb"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_in_one_sentence(name):
    with pytest.raises(InputError) as caught:
        safe_name(name, "class name")
    message = str(caught.value)
    assert message.startswith("The class name ")
    assert len(message) < 250
    assert message.isprintable()


@pytest.mark.parametrize(
    "name", ["cat", "Egyptian Mau", "größe", "猫", "a.b", "x" * MAX_NAME_BYTES]
)
def test_ordinary_names_pass_unchanged(name):
    assert safe_name(name, "class name") == name


@given(st.text(max_size=40))
def test_a_name_that_passes_is_one_file_of_its_folder(tmp_path_factory, name):
    try:
        safe_name(name, "class name")
    except InputError:
        return
    folder = tmp_path_factory.mktemp("f")
    write_atomic(folder / name, b"x")
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize("parts", [("..",), ("a", "../../b"), ("/etc",), ("a", "..", "..", "b")])
def test_paths_that_lead_out_are_refused(tmp_path, parts):
    with pytest.raises(InputError, match="leads outside the folder"):
        inside(tmp_path, *parts)


def test_a_link_that_leads_out_is_refused(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out"):
        inside(tmp_path / "root", "link", "x")


def test_relative_names_are_checked_part_by_part():
    assert str(relative_name("images/cat/1.png", "file name")) == "images/cat/1.png"
    with pytest.raises(InputError):
        relative_name("images/../1.png", "file name")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "sub" / "a.txt"
    write_text_atomic(path, "old")
    with contextlib.suppress(RuntimeError), open_atomic(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [path.name for path in path.parent.iterdir()] == ["a.txt"]


def test_bytes_reach_the_disk_before_the_name(tmp_path, monkeypatch):
    order = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), real_fsync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda *a: (order.append("rename"), real_replace(*a))[1])
    write_atomic(tmp_path / "a", b"x")
    assert order == ["fsync", "rename", "fsync"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_a_file_that_a_library_replaced_is_synced_and_open_to_others(
    tmp_path, monkeypatch, mask, mode
):
    synced, real_fsync = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_ino), real_fsync(fd))
    )
    before = os.umask(mask)
    try:
        with atomic_path(tmp_path / "a") as temporary:
            other = tmp_path / "private"
            other.write_bytes(b"x")
            other.chmod(0o600)
            other.replace(temporary)
    finally:
        os.umask(before)
    made = (tmp_path / "a").stat()
    assert (made.st_mode & 0o777, synced) == (mode, [made.st_ino, tmp_path.stat().st_ino])


def test_records_read_back_as_written(tmp_path):
    records = [
        Record(file_name=image_name("cat", "ab", 0), class_name="cat", label=1, prompt='a "é"\n'),
        Record(file_name=image_name("dog", "cd", 0), class_name="dog", label=0, seed=2**63),
    ]
    (tmp_path / METADATA).write_text("".join(r.line() for r in records) + "\n", encoding="utf-8")
    assert list(read_records(tmp_path)) == records
    assert class_names(records) == ["dog", "cat"]
    assert list(read_records(tmp_path / "nowhere")) == []
