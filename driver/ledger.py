"""The ledger: an SQLite file in the dataset folder that says which jobs there are and which are
done. A run that was killed at any instant goes on from here.
"""

from collections.abc import Generator, Iterable
from itertools import islice

from .job import Failure, Job
from .ledger_file import FILE_NAME
from .ledger_reader import CHUNK, Counts, Done, Files, ImageKey, LedgerReader, Rejected

__all__ = ["FILE_NAME", "Counts", "Done", "Ledger", "Rejected"]

_INCOMING = """
CREATE TEMP TABLE IF NOT EXISTS incoming(
  id TEXT PRIMARY KEY, seq INTEGER, grp TEXT, class_name TEXT, keep INTEGER, job TEXT
) WITHOUT ROWID;
DELETE FROM incoming;
"""
_TAKE = """
INSERT INTO jobs(id, seq, plan, grp, class_name, job)
  SELECT id, seq, ?, grp, class_name, job FROM incoming WHERE true
ON CONFLICT(id) DO UPDATE SET seq = excluded.seq, plan = excluded.plan, grp = excluded.grp,
  job = excluded.job, state = iif(class_name = excluded.class_name, state, 0),
  class_name = excluded.class_name
"""
_OLD = """
SELECT j.id, j.class_name, j.images, j.masks FROM jobs j LEFT JOIN incoming i
ON i.id = j.id AND i.class_name = j.class_name WHERE i.id IS NULL AND j.images > 0
"""
_SURPLUS = """
SELECT j.id, j.class_name, j.images, j.masks, i.keep FROM jobs j JOIN incoming i
ON i.id = j.id AND i.class_name = j.class_name WHERE j.images > i.keep
"""


class Ledger(LedgerReader):
    """The jobs of one dataset folder, as a plan has them and as they end."""

    _read = 0  # jobs of the plan that was read last

    def read_plan(self, jobs: Iterable[Job]) -> Generator[int]:
        """Read the jobs of a plan, yielding how many were read so far.

        Nothing of the folder's own changes: see what the plan would leave over, then `take_plan`
        or forget it.
        """
        stream, count = iter(jobs), 0
        with self._transaction() as db:
            db.executescript(_INCOMING)
        while chunk := list(islice(stream, CHUNK)):
            rows = [
                (job.id, seq, job.group, job.class_name, job.keep, job.to_json())
                for seq, job in enumerate(chunk, count)
            ]
            with self._transaction() as db:
                db.executemany("INSERT OR IGNORE INTO incoming VALUES(?, ?, ?, ?, ?, ?)", rows)
            count += len(chunk)
            yield count
        self._read = count

    def equal_jobs(self) -> int:
        """How many of the jobs that were read equal another one."""
        return self._read - self._rows("SELECT count(*) FROM incoming")[0][0]

    def old_files(self) -> list[Files]:
        """(id, class_name, images, masks) of jobs that have files and were not read."""
        return self._rows(_OLD)

    def surplus_files(self) -> list[tuple[str, str, int, int, int]]:
        """(id, class_name, images, masks, images that are planned) of jobs with more than that."""
        return self._rows(_SURPLUS)

    def knows(self, job_id: str) -> bool:
        """Whether a job of the folder, or of the plan that was read last, has this id."""
        places = ("jobs", "incoming") if self._read else ("jobs",)
        return any(self._rows(f"SELECT 1 FROM {place} WHERE id = ?", job_id) for place in places)

    def take_plan(self, fingerprint: str) -> None:
        """Make the jobs that were read the folder's plan. Done jobs that are planned again stay
        done, as far as they have all images; others, whose files are gone by now, are dropped."""
        plan = self._plan + 1
        facts = [("plan", str(plan)), ("fingerprint", fingerprint), ("read", str(self._read))]
        with self._transaction() as db:
            db.execute(_TAKE, (plan,))
            db.execute("DELETE FROM jobs WHERE plan <> ?", (plan,))
            db.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", facts)
            db.execute(
                "UPDATE jobs SET state = 0 WHERE state = 1 "
                "AND images < coalesce(json_extract(job, '$.keep'), 1)"
            )
            db.execute(
                "UPDATE jobs SET images = coalesce(json_extract(job, '$.keep'), 1), "
                "masks = min(masks, coalesce(json_extract(job, '$.keep'), 1)) "
                "WHERE images > coalesce(json_extract(job, '$.keep'), 1)"
            )
            db.execute("DELETE FROM incoming")
        self._plan = plan

    def mark_done(self, finished: Iterable[Done]) -> None:
        rows = [
            (d.images, d.masks, d.server, d.seconds, d.objects, d.files, d.id) for d in finished
        ]
        with self._transaction() as db:
            db.executemany(
                "UPDATE jobs SET state = 1, images = ?, masks = ?, server = ?, seconds = ?, "
                "objects = ?, files = ?, kind = NULL, reason = NULL WHERE id = ?",
                rows,
            )

    def mark_failed(self, job_id: str, failure: Failure) -> None:
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET state = 2, kind = ?, reason = ? WHERE id = ?",
                (failure.kind, failure.reason, job_id),
            )

    def reopen(self, job_ids: Iterable[str]) -> None:
        """Make these jobs open again (their files are gone or damaged)."""
        with self._transaction() as db:
            rows = [(job_id,) for job_id in job_ids]
            db.executemany("UPDATE jobs SET state = 0 WHERE id = ?", rows)

    def note_files(self, files: Iterable[tuple[str, str]]) -> None:
        """(id, files as in Done) of jobs whose files are whole, and were copied or touched."""
        with self._transaction() as db:
            rows = [(text, job_id) for job_id, text in files]
            db.executemany("UPDATE jobs SET files = ? WHERE id = ?", rows)

    def reject(self, images: Iterable[Rejected]) -> None:
        """These images are not wanted; one that is rejected already keeps its first reason."""
        rows = [(image.id, image.number, _storable(image.reason)) for image in images]
        with self._transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO rejected(id, number, reason) VALUES(?, ?, ?)", rows
            )

    def take_back(self, images: Iterable[ImageKey]) -> None:
        """These images are wanted after all."""
        with self._transaction() as db:
            db.executemany("DELETE FROM rejected WHERE id = ? AND number = ?", list(images))

    def replace_rejected(self) -> None:
        """Plan another image in place of each that is rejected by now."""
        with self._transaction() as db:
            db.execute("UPDATE rejected SET replace = 1")

    def restore(self, jobs: Iterable[tuple[Job, Done]]) -> None:
        """Done jobs that were found on the disk; of no plan until one is taken."""
        rows = [
            (job.id, seq, self._plan, job.class_name, d.images, d.masks, d.server, d.seconds,
             job.to_json(), d.objects, d.files)
            for seq, (job, d) in enumerate(jobs)
        ]  # fmt: skip
        with self._transaction() as db:
            db.execute("DELETE FROM meta WHERE key IN ('fingerprint', 'read')")
            db.executemany(
                "INSERT OR REPLACE INTO jobs(id, seq, plan, grp, class_name, state, images, masks, "
                "server, seconds, job, objects, files) "
                "VALUES(?, ?, ?, '', ?, 1, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def reopen_failed(self) -> None:
        """Give the failed jobs another chance: the user may have mended their cause."""
        with self._transaction() as db:
            db.execute("UPDATE jobs SET state = 0 WHERE state = 2")

    def remember(self, key: str, value: str) -> None:
        """Keep a fact of the folder beside its jobs."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (key, value))


def _storable(text: str | None) -> str | None:
    """Half a character, which SQLite refuses, becomes a question mark."""
    return text and text.encode("utf-8", "replace").decode("utf-8")
