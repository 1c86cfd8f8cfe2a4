"""What a ledger says: which jobs are open, done and failed, and of which plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .job import Job
from .ledger_file import LedgerFile

PENDING, DONE, FAILED = 0, 1, 2
CHUNK = 20_000


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


class LedgerReader(LedgerFile):
    """The questions that a ledger answers; `Ledger` writes as well."""

    def __init__(self, folder: Path, read_only: bool = False) -> None:
        super().__init__(folder, read_only)
        self._plan = int(self._meta("plan") or 0)

    def is_planned(self, fingerprint: str) -> bool:
        """Whether the whole plan with this fingerprint is in the ledger already."""
        return self._meta("fingerprint") == fingerprint

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

    def recall(self, key: str) -> str | None:
        return self._meta(key)
