"""The ledger: what it remembers, also after being cut off."""

import contextlib
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.job import Failure, Job
from manyshot.driver.ledger import FILE_NAME, Counts, Done, Ledger
from manyshot.driver.ledger_file import DAMAGED


def job(number: int, group: str = "g", class_name: str = "cat") -> Job:
    return Job(f"{number:032x}", class_name, 0, number, f"prompt {number}", "", number, group)


def fill(ledger: Ledger, jobs: list[Job], fingerprint: str = "f") -> None:
    assert list(ledger.read_plan(jobs))[-1:] == ([len(jobs)] if jobs else [])
    ledger.take_plan(fingerprint)


def done(number: int, images: int = 1) -> Done:
    return Done(f"{number:032x}", images, 0, "s", 0.5)


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path)
    yield opened
    opened.close()


def test_jobs_come_back_as_they_went_in(ledger):
    odd = Job("1" * 32, "Ćat ø", 3, 9, "a 'quoted'\nprompt", "no", 2**63, "g", 4, 2,
              "a.safetensors", "tok", {"A.b": "/x/é.png"},
              {"K.cfg": 1.5, "K.on": True}, ["cat/ø.png", "b.png"])  # fmt: skip
    fill(ledger, [odd])
    assert ledger.open_jobs("g", -1, 10) == [(0, odd)]


def test_equal_jobs_are_kept_once_and_counted(ledger):
    list(ledger.read_plan([job(1), job(2), job(1)]))
    assert ledger.equal_jobs() == 1
    ledger.take_plan("f")
    assert ledger.counts() == Counts(pending=2, done=0, failed=0)


def test_a_ledger_of_an_earlier_version_is_gone_on_with(tmp_path):
    ledger = Ledger(tmp_path)
    fill(ledger, [job(0), job(1)])
    ledger.mark_done([done(0)])
    ledger.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN objects")
        db.execute("ALTER TABLE jobs DROP COLUMN files")
        db.execute("DROP TABLE rejected")
    db.close()
    reader = Ledger(tmp_path, read_only=True)
    assert reader.counts() == Counts(pending=1, done=1, failed=0)
    assert [row[4] for row in reader.read_done_files()] == [None]
    reader.close()
    again = Ledger(tmp_path)
    again.mark_done([replace(done(1), objects="[[]]")])
    assert [row.objects for _, row in again.read_done_jobs()] == [None, "[[]]"]
    again.close()


def test_states_move_and_survive_reopening(tmp_path):
    ledger = Ledger(tmp_path)
    fill(ledger, [job(n) for n in range(4)])
    ledger.mark_done([done(0), done(1)])
    ledger.mark_failed(job(2).id, Failure("node", "it broke"))
    ledger.close()
    again = Ledger(tmp_path)
    assert again.counts() == Counts(pending=1, done=2, failed=1)
    assert again.failures() == [("node", "it broke", 1)]
    assert again.is_planned("f")
    assert not again.is_planned("other")
    again.reopen([job(0).id])
    again.reopen_failed()
    assert again.counts() == Counts(pending=3, done=1, failed=0)
    again.close()


def test_a_new_plan_keeps_done_jobs_drops_open_ones_and_names_old_ones(ledger):
    fill(ledger, [job(n) for n in range(4)], "first")
    ledger.mark_done([done(0), done(1)])
    list(ledger.read_plan([job(1), job(5)]))
    assert ledger.old_files() == [(job(0).id, "cat", 1, 0)]
    assert ledger.is_planned("first"), "a plan that is only read changes nothing"
    assert ledger.counts() == Counts(pending=2, done=2, failed=0)
    ledger.take_plan("second")
    assert ledger.is_planned("second")
    assert ledger.counts() == Counts(pending=1, done=1, failed=0)


def batch(number: int, keep: int) -> Job:
    return job(number)._replace(images=4, keep=keep)


@pytest.mark.parametrize(
    ("before", "after", "expected", "surplus"),
    [
        ([4, 1], [4, 2], Counts(pending=1, done=1, failed=0), 0),  # 5 to 6 images
        ([4, 4], [4, 4], Counts(pending=0, done=2, failed=0), 0),
        ([4, 2], [3], Counts(pending=0, done=1, failed=0), 1),  # 6 to 3
        ([4, 2], [4, 1], Counts(pending=0, done=2, failed=0), 1),
    ],
)
def test_a_batch_of_which_more_or_fewer_images_are_wanted(ledger, before, after, expected, surplus):
    fill(ledger, [batch(n, keep) for n, keep in enumerate(before)], "first")
    ledger.mark_done([done(n, keep) for n, keep in enumerate(before)])
    list(ledger.read_plan([batch(n, keep) for n, keep in enumerate(after)]))
    assert len(ledger.surplus_files()) == surplus
    ledger.take_plan("second")
    assert ledger.counts() == expected
    assert ledger.images()[1] == sum(after)
    assert (ledger.images()[0] == sum(after)) is (expected.pending == 0)


def test_a_class_of_another_name_is_another_job(ledger):
    """Where nothing that is bound says the class, its name is in no id."""
    fill(ledger, [job(1)], "first")
    ledger.mark_done([done(1)])
    list(ledger.read_plan([job(1, class_name="kitty")]))
    assert ledger.old_files() == [(job(1).id, "cat", 1, 0)]
    ledger.take_plan("second")
    assert ledger.counts() == Counts(pending=1, done=0, failed=0)


def test_planning_cut_off_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("manyshot.driver.ledger.CHUNK", 2)
    ledger = Ledger(tmp_path)
    planning = ledger.read_plan([job(n) for n in range(5)])
    assert next(planning) == 2
    planning.close()
    ledger.close()
    again = Ledger(tmp_path)
    assert not again.is_planned("f")
    assert list(again.read_plan([job(n) for n in range(5)])) == [2, 4, 5]
    again.take_plan("f")
    assert again.counts().planned == 5
    again.close()


def test_open_jobs_are_read_in_order_and_by_group(ledger):
    fill(ledger, [job(n, "ab"[n % 2]) for n in range(6)])
    assert sorted(ledger.groups()) == [("a", 3), ("b", 3)]
    assert [j.seed for _, j in ledger.open_jobs("b", 1, 9)] == [3, 5]


def test_done_jobs_stream_in_plan_order(ledger, monkeypatch):
    monkeypatch.setattr("manyshot.driver.ledger_reader.CHUNK", 2)
    fill(ledger, [job(n) for n in (5, 3, 4, 1)])
    ledger.mark_done([done(n, n) for n in (1, 4, 5)])
    assert [(j.seed, d.images) for j, d in ledger.read_done_jobs()] == [(5, 5), (4, 4), (1, 1)]
    assert sorted(row[2] for row in ledger.read_done_files()) == [1, 4, 5]
    assert ledger.images() == (10, 4)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path, ledger):
    fill(ledger, [job(1)])
    with pytest.raises(InputError, match="Another run is using"):
        Ledger(tmp_path)
    reader = Ledger(tmp_path, read_only=True)
    assert reader.counts().planned == 1
    reader.close()


def torn(path: Path, number: int, data: bytes) -> None:
    """The page `number` of a file replaced."""
    content = path.read_bytes()
    path.write_bytes(content[: number * 4096] + data + content[(number + 1) * 4096 :])


DAMAGES = {
    "no database": lambda path: path.write_bytes(b"not a database, but long enough" * 40),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "zeroed page": lambda path: torn(path, 3, bytes(4096)),
    "random page": lambda path: torn(path, 3, random.Random(1).randbytes(4096)),
    "zeroed head": lambda path: torn(path, 0, bytes(4096)),
    "wrong rows": lambda path: change(path, "UPDATE jobs SET job = '{' WHERE seq = 3"),
    "wrong ids": lambda path: change(path, "UPDATE jobs SET id = '../../x' WHERE seq = 3"),
}


def change(path: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(sql)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_ledger_is_told_to_readers_and_put_aside_for_writers(tmp_path, damage):
    ledger = Ledger(tmp_path)
    fill(ledger, [job(n) for n in range(200)])
    ledger.close()
    damage(tmp_path / FILE_NAME)
    with pytest.raises(InputError, match=r"is damaged: .*manyshot repair"):
        Ledger(tmp_path, read_only=True)
    again = Ledger(tmp_path)
    assert again.damage
    assert again.is_empty()
    assert (tmp_path / DAMAGED).exists()
    again.close()
