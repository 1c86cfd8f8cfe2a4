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
    files: str | None = None
    """As JSON: "images" and "masks", each a list of [sha256, bytes, mtime in ns]; null stands for
    a rejected image, which was not written. None for a job of an earlier version."""


ImageKey = tuple[str, int]
"""Id of a job, number of its image."""
Files = tuple[str, str, int, int]
"""Id, class name, images, masks of a job."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An image that is not wanted. `replace`: another one is planned in its place."""

    id: str
    number: int
    reason: str | None
    replace: bool = False

    @property
    def key(self) -> ImageKey:
        return self.id, self.number


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs of the plan are in each state, and images of them that are rejected."""

    pending: int
    done: int
    failed: int
    rejected: int = 0

    @property
    def planned(self) -> int:
        return self.pending + self.done + self.failed


class LedgerReader(LedgerFile):
    """The questions that a ledger answers; `Ledger` writes as well."""

    def __init__(self, folder: Path, read_only: bool = False) -> None:
        super().__init__(folder, read_only)
        try:
            self._plan = int(self._meta("plan") or 0)
        except BaseException:
            self.close()
            raise

    def is_planned(self, fingerprint: str) -> bool:
        """Whether this plan, the whole of it and nothing else, is in the ledger already."""
        whole = self._rows("SELECT count(*), count(iif(plan = ?, 1, NULL)) FROM jobs", self._plan)
        read = int(self._meta("read") or 0)
        return self._meta("fingerprint") == fingerprint and whole == [(read, read)]

    def is_empty(self) -> bool:
        return self._rows("SELECT count(*) FROM jobs") == [(0,)]

    def counts(self) -> Counts:
        rows = self._rows("SELECT state, count(*) FROM jobs WHERE plan = ? GROUP BY 1", self._plan)
        of = dict(rows)
        return Counts(
            of.get(PENDING, 0), of.get(DONE, 0), of.get(FAILED, 0), self._count_rejected()
        )

    def _count_rejected(self) -> int:
        return self._rows(
            "SELECT count(*) FROM rejected r JOIN jobs j ON j.id = r.id WHERE j.plan = ? "
            "AND r.number < coalesce(json_extract(j.job, '$.keep'), 1)",
            self._plan,
        )[0][0]

    def images(self) -> tuple[int, int]:
        """(images done and not rejected, images planned)."""
        rows = self._rows(
            "SELECT sum(iif(state = 1, images, 0)), "
            "sum(coalesce(json_extract(job, '$.keep'), 1)) FROM jobs WHERE plan = ?",
            self._plan,
        )
        rejected = self._rows(
            "SELECT count(*) FROM rejected r JOIN jobs j ON j.id = r.id "
            "WHERE j.plan = ? AND j.state = 1 AND r.number < j.images",
            self._plan,
        )
        return (rows[0][0] or 0) - rejected[0][0], rows[0][1] or 0

    def rejections(self) -> dict[ImageKey, Rejected]:
        """All images that are rejected, of this plan or not."""
        rows = self._rows("SELECT id, number, reason, replace FROM rejected")
        images = (Rejected(i, number, reason, bool(replace)) for i, number, reason, replace in rows)
        return {image.key: image for image in images}

    def servers(self) -> set[str]:
        """The names of the servers that made the done jobs."""
        return {row[0] for row in self._rows("SELECT DISTINCT server FROM jobs WHERE state = 1")}

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

    def read_done_jobs(self) -> Iterator[tuple[Job, Done]]:
        """The done jobs of the plan in its order, streamed."""
        sql = (
            "SELECT seq, job, id, images, masks, server, seconds, objects, files FROM jobs "
            "WHERE state = 1 AND plan = ? AND seq > ? ORDER BY seq LIMIT ?"
        )
        after = -1
        while rows := self._rows(sql, self._plan, after, CHUNK):
            after = rows[-1][0]
            for _, text, *done in rows:
                yield Job.from_json(text), Done(*done)

    def read_done_files(self) -> Iterator[tuple[str, str, int, int, str | None]]:
        """(id, class_name, images, masks, files as in Done) of every done job, streamed."""
        sql = (
            "SELECT id, class_name, images, masks, files FROM jobs "
            "WHERE state = 1 AND id > ? ORDER BY id LIMIT ?"
        )
        after = ""
        while rows := self._rows(sql, after, CHUNK):
            after = rows[-1][0]
            yield from rows

    def recall(self, key: str) -> str | None:
        """A fact of the folder that was remembered, if it was."""
        return self._meta(key)
