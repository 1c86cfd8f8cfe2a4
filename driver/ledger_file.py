"""The SQLite file of a ledger, in the dataset folder: one run at a time may write it."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..core.dataset_files import LEDGER
from ..core.errors import InputError, ManyshotError
from ..core.files import make_folder
from ..core.paths import safe_name

FILE_NAME = LEDGER
LOCK_NAME = ".manyshot.lock"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs(
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, plan INTEGER NOT NULL, grp TEXT NOT NULL,
  class_name TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0, images INTEGER NOT NULL DEFAULT 0,
  masks INTEGER NOT NULL DEFAULT 0, kind TEXT, reason TEXT, server TEXT, seconds REAL,
  job TEXT NOT NULL, objects TEXT, files TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejected(
  id TEXT NOT NULL, number INTEGER NOT NULL, reason TEXT, replace INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(id, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS in_order ON jobs(seq);
CREATE INDEX IF NOT EXISTS open_jobs ON jobs(grp, seq) WHERE state = 0;
"""


# An earlier version's ledger that is only read: what it lacks is added for this connection alone.
_SHADOWS = """
CREATE TEMP VIEW IF NOT EXISTS jobs AS SELECT *, {missing} FROM main.jobs;
"""
_NO_REJECTED = """
CREATE TEMP TABLE rejected(id TEXT, number INTEGER, reason TEXT, replace INTEGER DEFAULT 0);
"""
_COLUMNS = (
    "id", "seq", "plan", "grp", "class_name", "state", "images", "masks", "kind", "reason",
    "server", "seconds", "job", "objects", "files",
)  # fmt: skip
_ADDED = ("objects", "files")  # columns of jobs that earlier versions do not have
_TYPES = {"id": "text", "seq": "integer", "plan": "integer", "grp": "text", "class_name": "text"}
_WRONG_TYPES = " OR ".join(f"typeof({name}) <> '{kind}'" for name, kind in _TYPES.items())
# What a job holds, as driver.job has it: always, and where it is not the default.
_JOB = {"label": "integer", "first_index": "integer", "prompt": "text", "negative": "text",
        "seed": "integer"}  # fmt: skip
_JOB_MORE = {"group": "text", "images": "integer", "keep": "integer", "subject": "text",
             "token": "text", "pictures": "object", "sweep": "object",
             "pairs": "array", "nodes": "array", "fields": "object"}  # fmt: skip
_JOB_NAMES = ", ".join(f"'$.{name}'" for name in ("id", "class_name", *_JOB, *_JOB_MORE))
_WRONG_JOB = " OR ".join(
    [f"json_type(job, '$.{name}') IS NOT '{kind}'" for name, kind in _JOB.items()]
    + [f"json_type(job, '$.{name}') <> '{kind}'" for name, kind in _JOB_MORE.items()]
    + [f"json_remove(job, {_JOB_NAMES}) IS NOT '{{}}'"]
)
DAMAGED = FILE_NAME + ".damaged"


class Damaged(ManyshotError):
    """The file is no ledger any more."""


class LedgerFile:
    """The open database of one dataset folder. Safe to use from several threads.

    One process at a time may write; others may look with `read_only`. A writer puts a damaged file
    aside, as DAMAGED, and begins an empty one: `damage` then says what was wrong. Raises
    InputError when another run has the folder, or the file cannot be used.
    """

    def __init__(self, folder: Path, read_only: bool = False) -> None:
        self.path = folder / FILE_NAME
        self.damage: str | None = None
        self._lock = threading.RLock()
        self._owner = None if read_only else _own(folder)
        try:
            self._db = self._open_or_set_aside(read_only)
        except BaseException:
            if self._owner:
                self._owner.release()
            raise

    def _open_or_set_aside(self, read_only: bool) -> sqlite3.Connection:
        try:
            return _open(self.path, read_only)
        except Damaged as error:
            if read_only:
                raise InputError(
                    f"The ledger {self.path} is damaged: {error}. Repair it with 'manyshot "
                    f"repair {self.path.parent}'; no image is lost."
                ) from None
            self.damage = str(error)
            _put_aside(self.path)
            return _open(self.path, read_only)

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
        make_folder(folder)
        lock.acquire(timeout=1)
    except Timeout:
        raise InputError(
            f"Another run is using {folder}. Wait for it to finish, or choose another output."
        ) from None
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be used: {error.strerror}.") from None
    return lock


def _open(path: Path, read_only: bool) -> sqlite3.Connection:
    """Raises Damaged for a file that SQLite, or we, cannot read."""
    if path.is_symlink():
        raise InputError(f"The ledger {path} is a link to another file. Remove the link.")
    if path.exists() and not path.is_file():
        raise InputError(
            f"The ledger {path} is a folder, a pipe or a device, not a file. Move it away, "
            f"then rebuild the ledger with 'manyshot repair {path.parent}'."
        )
    try:
        if read_only:
            return _open_read_only(path)
        db = _connect(path.resolve().as_uri())
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # a plan is known before its images are
            db.executescript(_SCHEMA)
            for column in _missing(db):
                db.execute(f"ALTER TABLE jobs ADD COLUMN {column} TEXT")
            _check(db)
        except BaseException:
            db.close()
            raise
    except sqlite3.OperationalError as error:
        if "malformed" in str(error) or "no such" in str(error):
            raise Damaged(str(error)) from None
        raise InputError(f"The ledger {path} cannot be opened: {error}.") from None
    except sqlite3.DatabaseError as error:
        raise Damaged(str(error)) from None
    return db


def _open_read_only(path: Path) -> sqlite3.Connection:
    db = _connect(f"{path.resolve().as_uri()}?mode=ro")
    try:
        missing = _missing(db)
        if missing and "id" not in missing:
            nothing = ", ".join(f"NULL AS {column}" for column in missing)
            db.executescript(_SHADOWS.format(missing=nothing))
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'rejected'").fetchall():
            db.executescript(_NO_REJECTED)
        _check(db)
    except BaseException:
        db.close()
        raise
    return db


def _missing(db: sqlite3.Connection) -> list[str]:
    """The columns that the table of jobs lacks."""
    there = {row[1] for row in db.execute("PRAGMA table_info(jobs)")}
    return [column for column in (_ADDED if there else _COLUMNS) if column not in there]


def _check(db: sqlite3.Connection) -> None:
    """Raises Damaged for pages, or rows, that cannot be read."""
    for (problem,) in db.execute("PRAGMA quick_check(1)"):
        if problem != "ok":
            raise Damaged(str(problem).splitlines()[-1])
    (wrong,) = db.execute(
        "SELECT count(*) FROM jobs WHERE NOT json_valid(job) OR id GLOB '*[^0-9a-f]*' "
        "OR iif(json_valid(job), json_extract(job, '$.id') IS NOT id "
        "OR json_extract(job, '$.class_name') IS NOT class_name, 1) "
        "OR typeof(images) <> 'integer' OR images NOT BETWEEN 0 AND 999999 "
        "OR typeof(masks) <> 'integer' OR masks NOT BETWEEN 0 AND 999999 "
        "OR state NOT IN (0, 1, 2) OR (objects IS NOT NULL AND NOT json_valid(objects)) "
        "OR (files IS NOT NULL AND NOT json_valid(files)) "
        f"OR {_WRONG_TYPES} OR iif(json_valid(job), {_WRONG_JOB}, 1)"
    ).fetchone()
    (numbers,) = db.execute(
        "SELECT count(*) FROM meta WHERE key IN ('plan', 'read') "
        "AND (value GLOB '*[^0-9]*' OR length(value) NOT BETWEEN 1 AND 18)"
    ).fetchone()
    if wrong or numbers:
        raise Damaged(f"{wrong + numbers} of its rows cannot be read")
    for (class_name,) in db.execute("SELECT DISTINCT class_name FROM jobs"):
        _check_class_name(class_name)


def _check_class_name(name: object) -> None:
    """Raises Damaged for a class whose files would lie outside of the folder."""
    try:
        safe_name(str(name), "class name")
    except InputError as error:
        raise Damaged(str(error).rstrip(".")) from None


def salvage_rejections(folder: Path) -> list[tuple[str, int, str | None]]:
    """(id, number, reason) of the rejected images in a damaged ledger, as far as it can be read."""
    path = folder / DAMAGED
    if not path.is_file():
        return []
    try:
        with contextlib.closing(_connect(f"{path.resolve().as_uri()}?mode=ro")) as db:
            sql = "SELECT id, number, reason FROM rejected WHERE typeof(number) = 'integer'"
            return db.execute(sql).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return []


def _put_aside(path: Path) -> None:
    """The damaged file under another name, and without what belongs to it."""
    path.replace(path.with_name(DAMAGED))
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(path.with_name(DAMAGED + suffix))


def _connect(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=10, check_same_thread=False)
    try:
        db.execute("SELECT count(*) FROM sqlite_master")  # a damaged file shows here
    except BaseException:
        db.close()
        raise
    return db
