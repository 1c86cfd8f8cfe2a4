"""The SQLite file of a ledger, in the dataset folder: one run at a time may write it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..core.errors import InputError

FILE_NAME = ".manyshot.sqlite"
LOCK_NAME = ".manyshot.lock"
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


class LedgerFile:
    """The open database of one dataset folder. Safe to use from several threads.

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

    def close(self) -> None:
        with self._lock:
            self._db.close()
        if self._owner:
            self._owner.release()

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
