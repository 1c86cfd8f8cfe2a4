"""The ledger: what it remembers, also after being cut off."""

import sqlite3
from dataclasses import replace

import pytest
from manyshot.core.errors import InputError
from manyshot.driver.job import Failure, Job
from manyshot.driver.ledger import FILE_NAME, Counts, Done, Ledger


def job(number: int, group: str = "g", class_name: str = "cat") -> Job:
    return Job(f"{number:032x}", class_name, 0, number, f"prompt {number}", "", number, group)


def fill(ledger: Ledger, jobs: list[Job], fingerprint: str = "f") -> None:
    assert list(ledger.plan(jobs, fingerprint))[-1:] == ([len(jobs)] if jobs else [])


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
    fill(ledger, [job(1), job(2), job(1)])
    assert ledger.counts() == Counts(pending=2, done=0, failed=0, old=0)
    assert ledger.duplicates() == 1


def test_a_ledger_of_an_earlier_version_is_gone_on_with(tmp_path):
    ledger = Ledger(tmp_path)
    fill(ledger, [job(0), job(1)])
    ledger.mark_done([done(0)])
    ledger.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN objects")
    db.close()
    again = Ledger(tmp_path)
    again.mark_done([replace(done(1), objects="[[]]")])
    assert [row.objects for _, row in again.done_jobs()] == [None, "[[]]"]
    again.close()


def test_states_move_and_survive_reopening(tmp_path):
    ledger = Ledger(tmp_path)
    fill(ledger, [job(n) for n in range(4)])
    ledger.mark_done([done(0), done(1)])
    ledger.mark_failed(job(2).id, Failure("node", "it broke"))
    ledger.close()
    again = Ledger(tmp_path)
    assert again.counts() == Counts(pending=1, done=2, failed=1, old=0)
    assert again.failures() == [("node", "it broke", 1)]
    assert again.is_planned("f")
    assert not again.is_planned("other")
    again.reopen([job(0).id])
    again.reopen_failed()
    assert again.counts() == Counts(pending=3, done=1, failed=0, old=0)
    again.close()


def test_a_new_plan_keeps_done_jobs_drops_open_ones_and_names_old_ones(ledger):
    fill(ledger, [job(n) for n in range(4)], "first")
    ledger.mark_done([done(0), done(1)])
    fill(ledger, [job(1), job(5)], "second")
    assert ledger.counts() == Counts(pending=1, done=1, failed=0, old=1)
    assert ledger.old_files() == [(job(0).id, "cat", 1, 0)]
    ledger.forget_old()
    assert ledger.counts() == Counts(pending=1, done=1, failed=0, old=0)


def test_planning_cut_off_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("manyshot.driver.ledger.CHUNK", 2)
    ledger = Ledger(tmp_path)
    planning = ledger.plan([job(n) for n in range(5)], "f")
    assert next(planning) == 2
    planning.close()
    ledger.close()
    again = Ledger(tmp_path)
    assert not again.is_planned("f")
    assert list(again.plan([job(n) for n in range(5)], "f")) == [2, 4, 5]
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
    assert [(j.seed, d.images) for j, d in ledger.done_jobs()] == [(5, 5), (4, 4), (1, 1)]
    assert sorted(row[2] for row in ledger.done_files()) == [1, 4, 5]
    assert ledger.images() == (10, 4)


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path, ledger):
    fill(ledger, [job(1)])
    with pytest.raises(InputError, match="Another run is working in"):
        Ledger(tmp_path)
    reader = Ledger(tmp_path, read_only=True)
    assert reader.counts().planned == 1
    reader.close()


def test_a_damaged_file_gets_a_sentence(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database, but long enough to be read" * 40)
    with pytest.raises(InputError, match="is damaged"):
        Ledger(tmp_path)
