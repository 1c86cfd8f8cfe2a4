"""The ledger: an SQLite file in the dataset folder that says which jobs there are and which are
done. A run that was killed at any instant goes on from here.
"""

from collections.abc import Generator, Iterable
from itertools import islice

from .job import Failure, Job
from .ledger_file import FILE_NAME
from .ledger_reader import CHUNK, DONE, Counts, Done, LedgerReader

__all__ = ["FILE_NAME", "Counts", "Done", "Ledger"]

_INSERT = """
INSERT INTO jobs(id, seq, plan, grp, class_name, job) VALUES(?, ?, ?, ?, ?, ?)
ON CONFLICT(id) DO UPDATE SET seq = excluded.seq, plan = excluded.plan, grp = excluded.grp,
  job = excluded.job WHERE plan <> excluded.plan
"""


class Ledger(LedgerReader):
    """The jobs of one dataset folder, as a plan has them and as they end."""

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
