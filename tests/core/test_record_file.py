"""Adding records to a dataset folder that others add to as well."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from manyshot.core import metadata_lines, record_file
from manyshot.core.errors import ManyshotError
from manyshot.core.record_file import add_records
from manyshot.core.records import METADATA, Record, read_records


def row(name: str, class_name: str = "cat", **facts: Any) -> dict[str, Any]:
    return {"file_name": f"images/{class_name}/{name}.png", "class_name": class_name, **facts}


def told(folder: Path) -> list[tuple[str, int, int | None]]:
    return [(record.file_name, record.label, record.seed) for record in read_records(folder)]


def forget() -> None:
    """As if another process went on."""
    record_file._indexes.clear()


def test_labels_follow_first_appearance(tmp_path: Path) -> None:
    add_records(tmp_path, [row("1", "zebra"), row("2", "ant")])
    forget()
    made = add_records(tmp_path, [row("3", "ant"), row("4", "mule"), row("5", "zebra")])
    assert [record.label for record in made] == [1, 2, 0]
    assert [record.label for record in read_records(tmp_path)] == [0, 1, 1, 2, 0]


def test_a_new_label_is_above_all_others(tmp_path: Path) -> None:
    (tmp_path / METADATA).write_text(Record(**row("1"), label=4).line())
    assert add_records(tmp_path, [row("2", "dog")])[0].label == 5


@pytest.mark.parametrize("again", [lambda: None, forget])
def test_the_same_file_replaces_its_record(tmp_path: Path, again: Any) -> None:
    add_records(tmp_path, [row("1", seed=1), row("2", seed=2)])
    again()
    add_records(tmp_path, [row("1", seed=3), row("3", seed=4)])
    assert told(tmp_path) == [
        ("images/cat/2.png", 0, 2),
        ("images/cat/1.png", 0, 3),
        ("images/cat/3.png", 0, 4),
    ]


def test_the_same_record_is_not_written_again(tmp_path: Path) -> None:
    add_records(tmp_path, [row("1", seed=1)])
    before = (tmp_path / METADATA).stat()
    add_records(tmp_path, [row("1", seed=1)])
    after = (tmp_path / METADATA).stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_twice_in_one_call_is_one_record(tmp_path: Path) -> None:
    add_records(tmp_path, [row("1", seed=1), row("1", seed=2)])
    assert told(tmp_path) == [("images/cat/1.png", 0, 2)]


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    add_records(tmp_path, [row("1"), row("2")])
    path = tmp_path / METADATA
    path.write_bytes(path.read_bytes()[:-9])
    add_records(tmp_path, [row("3")])
    assert [name for name, *_ in told(tmp_path)] == ["images/cat/1.png", "images/cat/3.png"]


def test_what_others_write_is_seen(tmp_path: Path) -> None:
    add_records(tmp_path, [row("1")])
    with (tmp_path / METADATA).open("a") as file:
        file.write(Record(**row("2", "dog"), label=1).line())
    assert add_records(tmp_path, [row("3", "dog"), row("4", "ant")])[1].label == 2


def test_every_field_survives(tmp_path: Path) -> None:
    add_records(tmp_path, [row("1", prompt="a\nb \u2028 ü", mask_file_name="masks/cat/1.png")])
    record = next(read_records(tmp_path))
    assert (record.prompt, record.mask_file_name) == ("a\nb \u2028 ü", "masks/cat/1.png")


def test_a_file_locked_by_another_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_lines, "LOCK_SECONDS", 0)
    with (
        FileLock(tmp_path / f".{METADATA}.lock"),
        pytest.raises(ManyshotError, match="Another program has kept .* locked"),
    ):
        add_records(tmp_path, [row("1")])


def _add_many(folder: Path, who: int) -> None:
    for number in range(25):
        add_records(folder, [row(f"{who}-{number}", f"class{number % 5}"), row("shared", seed=who)])


@pytest.mark.slow
def test_processes_do_not_disturb_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_many, args=(tmp_path, who)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = (tmp_path / METADATA).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len({record["file_name"] for record in records}) == len(records) == 4 * 25 + 1
    labels = {(record["class_name"], record["label"]) for record in records}
    assert sorted(label for _, label in labels) == list(range(6))
