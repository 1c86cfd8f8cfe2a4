"""The ledger: an SQLite file in the dataset folder that says which jobs there are and which are
done. A run that was killed at any instant goes on from here.
"""

import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from filelock import FileLock, Timeout

from ..core.errors import InputError
from .job import Failure, Job

FILE_NAME = ".manyshot.sqlite"
LOCK_NAME = ".manyshot.lock"
PENDING, DONE, FAILED = 0, 1, 2
CHUNK = 20_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs(
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, plan INTEGER NOT NULL, grp TEXT NOT NULL,
  class_name TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, images INTEGER NOT NULL DEFAULT 0,
  masks INTEGER NOT NULL DEFAULT 0, kind TEXT, reason TEXT, server TEXT, seconds REAL,
  job TEXT NOT NULL, objects TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS in_order ON jobs(seq);
CREATE INDEX IF NOT EXISTS open_jobs ON jobs(grp, seq) WHERE state = 0;
"""
_INSERT = """
INSERT INTO jobs(id, seq, plan, grp, class_name, job) VALUES(?, ?, ?, ?, ?, ?)
ON CONFLICT(id) DO UPDATE SET seq = excluded.seq, plan = excluded.plan, grp = excluded.grp,
  job = excluded.job WHERE plan <> excluded.plan
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A finished job: how many files it has, and where and how long it was made."""

    id: str
    images: int
    masks: int
    server: str
    seconds: float
    objects: str | None = None
    """What its label masks show, as JSON: a list for each."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs of the plan are in each state; `old` ones belong to an earlier plan."""

    pending: int
    done: int
    failed: int
    old: int

    @property
    def planned(self) -> int:
        return self.pending + self.done + self.failed


class Ledger:
    """The jobs of one dataset folder. Safe to use from several threads.

    One process at a time may write; others may look with `read_only`. Raises InputError when
    another run has the folder, or the file cannot be used.
    """

    def __init__(self, folder: Path, read_only: bool = False) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        self._owner = None if read_only else _own(folder)
        try:
            self._db = _open(self.path, read_only)
        except InputError:
            if self._owner:
                self._owner.release()
            raise
        self._plan = int(self._meta("plan") or 0)

    def close(self) -> None:
        with self._lock:
            self._db.close()
        if self._owner:
            self._owner.release()

    def is_planned(self, fingerprint: str) -> bool:
        """Whether the whole plan with this fingerprint is in the ledger already."""
        return self._meta("fingerprint") == fingerprint

    def plan(self, jobs: Iterable[Job], fingerprint: str) -> Generator[int]:
        """Take the plan over from `jobs`, yielding how many were read so far.

        Done jobs that are planned again stay done. Cut off in between, it begins anew.
        """
        plan, stream, count = self._plan + 1, iter(jobs), 0
        while chunk := list(islice(stream, CHUNK)):
            rows = [
                (job.id, seq, plan, job.group, job.class_name, job.to_json())
                for seq, job in enumerate(chunk, count)
            ]
            with self._transaction() as db:
                db.executemany(_INSERT, rows)
            count += len(chunk)
            yield count
        with self._transaction() as db:
            facts = [("plan", str(plan)), ("fingerprint", fingerprint), ("read", str(count))]
            db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", facts)
            db.execute("DELETE FROM jobs WHERE plan <> ? AND state <> ?", (plan, DONE))
        self._plan = plan

    def duplicates(self) -> int:
        """How many planned jobs were equal to another one and therefore left out."""
        return int(self._meta("read") or 0) - self.counts().planned

    def counts(self) -> Counts:
        rows = self._rows("SELECT plan = ?, state, count(*) FROM jobs GROUP BY 1, 2", self._plan)
        of = {state: n for current, state, n in rows if current}
        old = sum(n for current, _, n in rows if not current)
        return Counts(of.get(PENDING, 0), of.get(DONE, 0), of.get(FAILED, 0), old)

    def images(self) -> tuple[int, int]:
        """(images done, images planned)."""
        rows = self._rows(
            "SELECT sum(iif(state = 1, images, 0)), "
            "sum(coalesce(json_extract(job, '$.keep'), 1)) FROM jobs WHERE plan = ?",
            self._plan,
        )
        return rows[0][0] or 0, rows[0][1] or 0

    def counts_by_class(self) -> list[tuple[str, int, int, int]]:
        """(class_name, planned, done, failed) for each class, in the order of the plan."""
        return self._rows(
            "SELECT class_name, count(*), sum(state = 1), sum(state = 2) FROM jobs "
            "WHERE plan = ? GROUP BY class_name ORDER BY min(seq)",
            self._plan,
        )

    def failures(self) -> list[tuple[str, str, int]]:
        """(kind, an example of its reason, how many jobs) of the failed jobs, most first."""
        return self._rows(
            "SELECT kind, min(reason), count(*) FROM jobs WHERE state = 2 AND plan = ? "
            "GROUP BY kind ORDER BY 3 DESC",
            self._plan,
        )

    def groups(self) -> list[tuple[str, int]]:
        """(group, open jobs) for every group with open jobs."""
        return self._rows("SELECT grp, count(*) FROM jobs WHERE state = 0 GROUP BY grp")

    def open_jobs(self, group: str, after: int, limit: int) -> list[tuple[int, Job]]:
        """Open jobs of a group as (place in the plan, job), behind place `after`."""
        rows = self._rows(
            "SELECT seq, job FROM jobs WHERE state = 0 AND grp = ? AND seq > ? "
            "ORDER BY seq LIMIT ?",
            group,
            after,
            limit,
        )
        return [(seq, Job.from_json(text)) for seq, text in rows]

    def done_jobs(self) -> Iterator[tuple[Job, Done]]:
        """The done jobs of the plan in its order, streamed."""
        sql = (
            "SELECT seq, job, id, images, masks, server, seconds, objects FROM jobs "
            "WHERE state = 1 AND plan = ? AND seq > ? ORDER BY seq LIMIT ?"
        )
        after = -1
        while rows := self._rows(sql, self._plan, after, CHUNK):
            after = rows[-1][0]
            for _, text, *done in rows:
                yield Job.from_json(text), Done(*done)

    def done_files(self) -> Iterator[tuple[str, str, int, int]]:
        """(id, class_name, images, masks) of every done job, streamed."""
        sql = (
            "SELECT id, class_name, images, masks FROM jobs "
            "WHERE state = 1 AND id > ? ORDER BY id LIMIT ?"
        )
        after = ""
        while rows := self._rows(sql, after, CHUNK):
            after = rows[-1][0]
            yield from rows

    def old_files(self) -> list[tuple[str, str, int, int]]:
        """(id, class_name, images, masks) of done jobs that belong to an earlier plan."""
        return self._rows(
            "SELECT id, class_name, images, masks FROM jobs WHERE plan <> ?", self._plan
        )

    def mark_done(self, finished: Iterable[Done]) -> None:
        rows = [(d.images, d.masks, d.server, d.seconds, d.objects, d.id) for d in finished]
        with self._transaction() as db:
            db.executemany(
                "UPDATE jobs SET state = 1, images = ?, masks = ?, server = ?, seconds = ?, "
                "objects = ?, kind = NULL, reason = NULL WHERE id = ?",
                rows,
            )

    def mark_failed(self, job_id: str, failure: Failure) -> None:
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 2, kind = ?, reason = ? WHERE id = ?",
                (failure.kind, failure.reason, job_id),
            )

    def reopen(self, job_ids: Iterable[str]) -> None:
        """Make these jobs open again (their files are gone)."""
        with self._transaction() as db:
            rows = [(job_id,) for job_id in job_ids]
            db.executemany("UPDATE jobs SET state = 0 WHERE id = ?", rows)

    def reopen_failed(self) -> None:
        """Give the failed jobs another chance: the user may have mended their cause."""
        with self._transaction() as db:
            db.execute("UPDATE jobs SET state = 0 WHERE state = 2")

    def forget_old(self) -> None:
        """Drop the jobs of earlier plans; their files are the caller's to remove."""
        with self._transaction() as db:
            db.execute("DELETE FROM jobs WHERE plan <> ?", (self._plan,))

    def remember(self, key: str, value: str) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (key, value))

    def recall(self, key: str) -> str | None:
        return self._meta(key)

    def _meta(self, key: str) -> str | None:
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def _rows(self, sql: str, *values: object) -> list[tuple]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:
            yield self._db


def _own(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=1)
    except Timeout:
        raise InputError(
            f"Another run is working in {folder}. Wait for it, or choose another output."
        ) from None
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be used: {error.strerror}.") from None
    return lock


def _open(path: Path, read_only: bool) -> sqlite3.Connection:
    try:
        if read_only:
            return _connect(f"{path.resolve().as_uri()}?mode=ro")
        db = _connect(path.resolve().as_uri())
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
        _add_column(db)
    except sqlite3.OperationalError as error:
        raise InputError(f"The ledger {path} cannot be opened: {error}.") from None
    except sqlite3.DatabaseError as error:
        raise InputError(
            f"The ledger {path} is damaged ({error}). Move it away; what it lists is then made "
            "again."
        ) from None
    return db


def _add_column(db: sqlite3.Connection) -> None:
    """Ledgers of earlier versions have no column for the masks' objects."""
    if "objects" not in {row[1] for row in db.execute("PRAGMA table_info(jobs)")}:
        db.execute("ALTER TABLE jobs ADD COLUMN objects TEXT")


def _connect(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=10, check_same_thread=False)
    db.execute("SELECT count(*) FROM sqlite_master")  # a damaged file shows here
    return db
